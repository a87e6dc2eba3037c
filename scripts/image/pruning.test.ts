import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { isKept, namedFiles, productionPackages } from "./pruning.ts";

describe("files of the image", () => {
  it.each([
    ["pino", "lib/proto.js"],
    ["pino", "package.json"],
    ["pino", "LICENSE"],
    ["fflate", "README.md"],
    ["@higgs-worker/audio", "codecs/codecs.wasm"],
    ["runpod-worker", "dist/heartbeat/heartbeat-thread.js"],
    ["worker-higgs-audio", "dist/bench/report.js"],
    ["@higgs-worker/audio", "licenses/LAME.md"],
    ["wasm-media-encoders", "dist/index.d.ts"],
    ["codec-parser", "src/CodecParser.js"],
    ["codec-parser", "index.d.ts"],
    ["@node-llama-cpp/linux-x64", "bins/linux-x64/libggml-base.so"],
    ["@node-llama-cpp/linux-x64", "bins/linux-x64/libggml.v0.5.0.so"],
    ["@node-llama-cpp/linux-x64-cuda", "bins/linux-x64-cuda/libggml.cuda.v0.5.0.so"],
    ["@node-llama-cpp/linux-x64", "bins/linux-x64/libggml-cpu-ivybridge.so"],
    ["@higgs-worker/ggml-cpu-linux-x64", "lib/libggml-cpu-zen4.so"],
    ["@node-llama-cpp/linux-x64", "dist/index.js"],
    ["eld", "src/ngrams/extrasmall.js"],
    ["linkify-it", "build/index.mjs"],
    ["cldr-rbnf", "rbnf/de.json"],
  ])("keep what runs, and licenses: %s %s", (name, file) => {
    expect(isKept(name, file)).toBe(true);
  });

  it.each([
    ["pino", "test/basic.test.js"],
    ["pino", "docs/api.md"],
    ["pino", "benchmarks/basic.bench.js"],
    ["hono", "dist/types/index.d.ts"],
    ["hono", "dist/index.test.js"],
    ["mediabunny", "src/index.ts"],
    ["eld", "src/ngrams/large.js"],
    ["mediabunny", "dist/index.js.map"],
    ["mpg123-decoder", "dist/mpg123-decoder.min.js.map"],
    ["@higgs-worker/audio", "dist/.tsbuildinfo"],
    ["@higgs-worker/audio", "dist/index.js.map"],
    ["@node-llama-cpp/linux-x64", "bins/linux-x64/llama-addon.node"],
    ["@node-llama-cpp/linux-x64", "bins/linux-x64/libllama.v0.5.0.so"],
    ["@node-llama-cpp/linux-x64", "bins/linux-x64/libllama-common.so"],
    ["@node-llama-cpp/linux-x64-cuda", "bins/linux-x64-cuda/libggml-cuda.so"],
    ["@node-llama-cpp/linux-x64-vulkan", "bins/linux-x64-vulkan/libggml-cpu-zen4.so"],
  ])("leave out what does not: %s %s", (name, file) => {
    expect(isKept(name, file)).toBe(false);
  });
});

it("has each of the CPU's variants once: ours, and of the prebuilt ones those that we do not build", () => {
  const manifest = join(import.meta.dirname, "../../packages/ggml-cpu-linux-x64/manifest.json");
  const { files } = JSON.parse(readFileSync(manifest, "utf8")) as { readonly files: object };
  for (const name of ["x64", "sse42", "sandybridge", "ivybridge", "piledriver", "cannonlake", "cooperlake"]) {
    const file = `libggml-cpu-${name}.so`;
    expect([file, isKept("@node-llama-cpp/linux-x64", `bins/linux-x64/${file}`)]).toEqual([file, true]);
  }
  for (const file of Object.keys(files)) {
    expect([file, isKept("@node-llama-cpp/linux-x64", `bins/linux-x64/${file}`)]).toEqual([file, false]);
    expect([file, isKept("@higgs-worker/ggml-cpu-linux-x64", `lib/${file}`)]).toEqual([file, true]);
  }
});

describe("packages of the image", () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  /** A workspace with these manifests; packages below `packages` and `apps` are linked as npm does. */
  function workspace(manifests: Readonly<Record<string, object>>): string {
    const root = mkdtempSync(join(tmpdir(), "higgs-pruning-"));
    folders.push(root);
    for (const [place, manifest] of Object.entries(manifests)) {
      const name = place.replace(/^.*node_modules\//, "").replace(/^(apps|packages)\//, "");
      mkdirSync(join(root, place), { recursive: true });
      writeFileSync(join(root, place, "package.json"), JSON.stringify({ name, version: "1.0.0", ...manifest }));
      if (place.includes("node_modules")) continue;
      const link = join(root, "node_modules", name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, place), link);
    }
    return root;
  }

  it("are those that the program needs, with theirs, and none of development, peers or other platforms", () => {
    const root = workspace({
      "apps/worker": {
        files: ["bin"],
        dependencies: { core: "1", left: "1" },
        devDependencies: { tester: "1" },
        optionalDependencies: { "not-for-here": "1" },
      },
      "packages/core": {
        files: ["dist"],
        dependencies: { left: "1" },
        optionalDependencies: { "@node-llama-cpp/linux-x64": "1", "@node-llama-cpp/linux-arm64": "1" },
        peerDependencies: { compiler: "1" },
      },
      "packages/unused": {},
      "node_modules/left": { dependencies: { right: "1" } },
      "node_modules/left/node_modules/right": { version: "2.0.0" },
      "node_modules/right": {},
      "node_modules/tester": {},
      "node_modules/compiler": {},
      "node_modules/@node-llama-cpp/linux-x64": {},
      "node_modules/@node-llama-cpp/linux-arm64": {},
    });
    const found = productionPackages(root, "apps/worker");
    expect(found.map(({ link, version, own }) => ({ link, version, own }))).toEqual(
      expect.arrayContaining([
        { link: "node_modules/worker", version: "1.0.0", own: ["bin"] },
        { link: "node_modules/core", version: "1.0.0", own: ["dist"] },
        { link: "node_modules/left", version: "1.0.0", own: null },
        { link: "node_modules/left/node_modules/right", version: "2.0.0", own: null },
        { link: "node_modules/@node-llama-cpp/linux-x64", version: "1.0.0", own: null },
      ]),
    );
    expect(found).toHaveLength(5);
  });

  it("of our own bring what their manifests name, and stop the build where that is not there", () => {
    const root = workspace({ "packages/core": {} });
    const core = join(root, "packages/core");
    for (const file of ["dist/index.js", "page/a.css", "page/b.css", "page/note.md", "wide.json"]) {
      mkdirSync(dirname(join(core, file)), { recursive: true });
      writeFileSync(join(core, file), "");
    }
    const files = namedFiles(core, ["dist", "page/*.css", "wide.json"]);
    expect(files.toSorted()).toEqual(["dist", "page/a.css", "page/b.css", "wide.json"]);
    for (const entry of ["golden", "page/*.svg", "wide_json", "nowhere/*.js"]) {
      expect(() => namedFiles(core, [entry])).toThrow(`Cannot find ${entry}`);
    }
    for (const entry of ["page/**", "*/a.css", "!dist", "page/{a,b}.css"]) {
      expect(() => namedFiles(core, [entry])).toThrow("is understood");
    }
  });

  it("that are missing stop the build", () => {
    const root = workspace({ "apps/worker": { dependencies: { gone: "1" } } });
    expect(() => productionPackages(root, "apps/worker")).toThrow("Cannot find gone, which worker needs");
  });

  it("of this workspace hold the program and not the tools it is built with", () => {
    const names = productionPackages(join(import.meta.dirname, "..", ".."), "apps/worker").map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["worker-higgs-audio", "runpod-worker", "@higgs-worker/ggml", "koffi"]),
    );
    for (const tool of ["typescript", "vitest", "tsx", "examples", "fast-check"]) expect(names).not.toContain(tool);
  });
});
