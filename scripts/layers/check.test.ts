import { describe, expect, it } from "vitest";
import { checkLayers } from "./check.ts";
import { readImports } from "./imports.ts";

const FACES: Readonly<Record<string, readonly string[]>> = {
  "runpod-worker": [".", "./emulator"],
  "@higgs-worker/higgs-audio": [".", "./testing"],
};
const exportsOf = (name: string) => FACES[name] ?? ["."];
const problemsOf = (path: string, source: string) => checkLayers([{ path, source }], exportsOf).problems;

describe("readImports()", () => {
  it("finds every form of import, with its line, and nothing in strings or comments", () => {
    const source = [
      'import { a } from "one";',
      'import type { B } from "./two.ts";',
      'export * from "three";',
      'export { c } from "four";',
      'export type { D } from "five";',
      'const late = await import("six");',
      '// import x from "comment";',
      "const text = 'import y from \"string\"';",
      'import "seven";',
    ].join("\n");
    expect(
      readImports("x.ts", source)
        .map(({ specifier, line }) => `${line} ${specifier}`)
        .sort(),
    ).toEqual(["1 one", "2 ./two.ts", "3 three", "4 four", "5 five", "6 six", "9 seven"].sort());
  });

  it("refuses a file that it cannot parse", () => {
    expect(() => readImports("x.ts", "import {")).toThrow(SyntaxError);
  });
});

describe("checkLayers()", () => {
  it.each([
    ["an allowed arrow", "packages/audio/src/a.ts", 'import {} from "@higgs-worker/base";'],
    ["a lower folder", "packages/higgs-audio/src/prompt/a.ts", 'import {} from "../text/b.ts";'],
    ["the same folder", "packages/higgs-audio/src/prompt/a.ts", 'import {} from "./b.ts";'],
    ["the index above all folders", "packages/higgs-audio/src/index.ts", 'export {} from "./golden/b.ts";'],
    [
      "a file of src that has a place in the order, from above",
      "packages/runpod-worker/src/jobs/a.ts",
      'import {} from "../errors.ts";',
    ],
    [
      "a file of src that has a place in the order, from beside",
      "packages/audio/src/decoder/a.ts",
      'import {} from "../pcm16.ts";',
    ],
    ["a declared sub-export", "apps/worker/src/commands/serve.ts", 'import {} from "runpod-worker/emulator";'],
    ["koffi in ggml", "packages/ggml/src/bindings.ts", 'import koffi from "koffi";'],
    [
      "a test of a low folder that uses a high one",
      "packages/higgs-audio/src/text/a.test.ts",
      'import {} from "../speech/b.ts";',
    ],
    ["test support in a test", "packages/audio/src/a.test.ts", 'import {} from "./testing/b.ts";'],
    [
      "another package's test support in a test",
      "packages/parity/src/frame/testing/a.ts",
      'import {} from "@higgs-worker/higgs-audio/testing";',
    ],
    ["test support in a package's script", "packages/audio/scripts/a.ts", 'import {} from "../src/testing/b.ts";'],
  ])("allows %s", (_name, path, source) => {
    expect(problemsOf(path, source)).toEqual([]);
  });

  it.each([
    ["an arrow against the map", "packages/ggml/src/a.ts", 'import {} from "@higgs-worker/base";', "has no such arrow"],
    [
      "a type import against the map",
      "packages/audio/src/a.ts",
      'import type {} from "@higgs-worker/ggml";',
      "has no such arrow",
    ],
    ["a lazy import against the map", "packages/audio/src/a.ts", 'await import("runpod-worker");', "has no such arrow"],
    [
      "koffi outside ggml",
      "apps/worker/src/main.ts",
      'import koffi from "koffi";',
      "only @higgs-worker/ggml may import",
    ],
    [
      "a deep import",
      "apps/worker/src/main.ts",
      'import {} from "@higgs-worker/audio/src/pcm16.ts";',
      "does not export",
    ],
    [
      "a path out of the package",
      "apps/worker/src/main.ts",
      'import {} from "../../../packages/audio/src/pcm16.ts";',
      "leaves the package",
    ],
    [
      "a higher folder",
      "packages/higgs-audio/src/text/a.ts",
      'import {} from "../prompt/b.ts";',
      "src/text may not import src/prompt",
    ],
    [
      "a folder beside",
      "packages/higgs-audio/src/model/a.ts",
      'import {} from "../codec/b.ts";',
      "src/model may not import src/codec",
    ],
    [
      "the index from below",
      "packages/higgs-audio/src/text/a.ts",
      'import {} from "../index.ts";',
      "files of src itself",
    ],
    [
      "a folder above a file of src that has a place in the order",
      "packages/runpod-worker/src/errors.ts",
      'import {} from "./jobs/b.ts";',
      "src/errors.ts may not import src/jobs",
    ],
    [
      "a format above the decoder",
      "packages/audio/src/decoder/a.ts",
      'import {} from "../mp3/b.ts";',
      "may not import",
    ],
    ["a folder in a package without folders", "packages/ggml/src/utils/a.ts", "", "has no place in the order"],
    ["a folder without a place", "packages/higgs-audio/src/utils/a.ts", "", "has no place in the order"],
    ["test support in a source", "packages/audio/src/a.ts", 'import {} from "./testing/b.ts";', "for tests only"],
    [
      "another package's test support in a source",
      "packages/parity/src/lm/a.ts",
      'import {} from "@higgs-worker/higgs-audio/testing";',
      "for tests only",
    ],
    ["its own name", "packages/audio/src/a.ts", 'import {} from "@higgs-worker/audio";', "its own package by name"],
    ["an undeclared package", "packages/other/src/a.ts", "", "is not in a declared package"],
  ])("refuses %s", (_name, path, source, expected) => {
    const problems = problemsOf(path, source);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
    expect(problems[0]).toContain(path);
  });

  it("refuses files that import each other in a circle, types included", () => {
    const { problems } = checkLayers(
      [
        { path: "packages/ggml/src/a.ts", source: 'import type {} from "./b.ts";' },
        { path: "packages/ggml/src/b.ts", source: 'export * from "./a.ts";' },
      ],
      exportsOf,
    );
    expect(problems).toEqual([
      "packages/ggml/src/a.ts -> packages/ggml/src/b.ts -> packages/ggml/src/a.ts: files import each other in a circle",
    ]);
  });

  it("counts what it read", () => {
    const report = checkLayers(
      [
        { path: "packages/audio/src/a.ts", source: 'import {} from "@higgs-worker/base";\nimport {} from "./b.ts";' },
        { path: "packages/audio/src/b.ts", source: "export const b = 1;" },
      ],
      exportsOf,
    );
    expect(report).toMatchObject({ files: 2, imports: 2, arrows: ["@higgs-worker/audio -> @higgs-worker/base"] });
  });
});
