import { describe, expect, it } from "vitest";
import { findDeadExports, type PackageFace } from "./dead-exports.ts";

function faceWith(source: string, specifier = "@x/audio"): PackageFace {
  return { specifier, folder: "packages/audio", index: { path: "packages/audio/src/index.ts", source } };
}

function deadWith(source: string, users: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(users).map(([path, text]) => ({ path, source: text }));
  return findDeadExports([faceWith(source)], files);
}

const INDEX = 'export { a, type B } from "./a.ts";\nexport const c = 1;\nexport type { D as E } from "./d.ts";';

describe("findDeadExports()", () => {
  it("names what nothing outside the package imports", () => {
    expect(deadWith(INDEX, {})).toEqual(["@x/audio: B", "@x/audio: E", "@x/audio: a", "@x/audio: c"]);
  });

  it.each([
    ["an import of another package", "packages/b/src/x.ts", 'import { a, type B, c as d, type E } from "@x/audio";'],
    ["a type import", "apps/w/src/x.ts", 'import type { a, B, c, E } from "@x/audio";'],
    ["a re-export", "packages/b/src/index.ts", 'export { a, B, c, E } from "@x/audio";'],
    ["an example", "examples/x.mjs", 'import { a, B, c, E } from "@x/audio";'],
    ["a lazy import whose names the file says", "scripts/x.ts", 'const { a, B, c, E } = await import("@x/audio");'],
    ["a namespace that is asked for them", "scripts/x.ts", 'import * as x from "@x/audio"; x.a; x.B; x.c; x.E;'],
  ])("counts %s", (_name, path, source) => {
    expect(deadWith(INDEX, { [path]: source })).toEqual([]);
  });

  it("does not count the package's own files, other faces, or the name before `as`", () => {
    expect(
      deadWith("export const a = 1;", { "packages/audio/test/x.ts": 'import { a } from "@x/audio";' }),
    ).toHaveLength(1);
    expect(deadWith("export const a = 1;", { "apps/w/x.ts": 'import { a } from "@x/audio/parts";' })).toHaveLength(1);
    expect(deadWith('export { D as E } from "./d.ts";', { "apps/w/x.ts": 'import { D } from "@x/audio";' })).toEqual([
      "@x/audio: E",
    ]);
  });
});
