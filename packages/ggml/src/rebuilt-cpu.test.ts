import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { neededLibraries } from "./elf.ts";
import { loadFiles, loadGgml } from "./ggml.ts";
import { findLibrary } from "./library.ts";
import { findRebuiltCpu, readRebuiltCpu, type RebuiltCpu } from "./rebuilt-cpu.ts";

const MAX_BYTES = 8e6;

interface Manifest {
  readonly ggml: string;
  readonly glibc: string;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

it("is looked for on Linux on x86-64 only", () => {
  expect(findRebuiltCpu("linux", "x64")).not.toBeNull();
  for (const [platform, arch] of [
    ["linux", "arm64"],
    ["darwin", "x64"],
    ["win32", "x64"],
  ] as const) {
    expect(findRebuiltCpu(platform, arch)).toBeNull();
  }
});

it("stays out of a folder that was named, and of builds for a GPU", () => {
  const { directory } = findLibrary();
  expect(findLibrary({ directory }).rebuiltCpu).toBeNull();
});

const isHere = process.platform === "linux" && process.arch === "x64";

describe.skipIf(!isHere)("the CPU backends of our own build", () => {
  let rebuilt: RebuiltCpu;
  let manifest: Manifest;
  let temporary: string;
  beforeAll(() => {
    const found = findRebuiltCpu("linux", "x64");
    if (found === null) throw new Error("Cannot find them: run npm ci");
    rebuilt = found;
    manifest = JSON.parse(readFileSync(path.join(found.directory, "..", "manifest.json"), "utf8")) as Manifest;
    temporary = mkdtempSync(path.join(tmpdir(), "rebuilt-cpu-"));
  });
  afterAll(() => rmSync(temporary, { recursive: true }));

  it("are the files of the manifest, and small", () => {
    expect(readdirSync(rebuilt.directory).toSorted()).toEqual(Object.keys(manifest.files).toSorted());
    let total = 0;
    for (const [name, { bytes, sha256 }] of Object.entries(manifest.files)) {
      const content = readFileSync(path.join(rebuilt.directory, name));
      expect([name, content.length]).toEqual([name, bytes]);
      expect([name, createHash("sha256").update(content).digest("hex")]).toEqual([name, sha256]);
      total += content.length;
    }
    expect(total).toBeLessThanOrEqual(MAX_BYTES);
  });

  it("need nothing that the prebuilt ones do not need but glibc's vector functions, and hold no path of the machine that built them", () => {
    const { directory } = findLibrary();
    for (const name of Object.keys(manifest.files)) {
      const file = path.join(rebuilt.directory, name);
      const there = [...neededLibraries(path.join(directory, name)), "libmvec.so.1"];
      expect(there).toEqual(expect.arrayContaining(neededLibraries(file)));
      expect(/\/(tmp|home|root|work|build)\/[\w./]+/.exec(readFileSync(file, "latin1"))?.[0]).toBeUndefined();
    }
  });

  it("are what runs, for processors that one of them is made for", () => {
    const ggml = loadFiles(findLibrary());
    expect(ggml.version).toBe(manifest.ggml);
    const scores = Object.keys(manifest.files).map((name) => ({
      file: path.join(rebuilt.directory, name),
      score: ggml.native.scoreBackend(path.join(rebuilt.directory, name)),
    }));
    const best = scores.toSorted((a, b) => b.score - a.score)[0];
    const isForThis = best !== undefined && best.score > 0;
    const running = ggml.cpuBackendFile() ?? "";
    // A processor without AVX2 has the prebuilt ones.
    expect(isForThis ? running : path.dirname(running)).toBe(
      realpathSync(isForThis ? best.file : findLibrary().directory),
    );
  });

  it("are not taken when one is cut off or missing", () => {
    const copy = path.join(temporary, "damaged");
    cpSync(path.join(rebuilt.directory, ".."), copy, { recursive: true });
    const copied = path.join(copy, "manifest.json");
    expect(readRebuiltCpu(copied)).toEqual({ directory: path.join(copy, "lib"), ggmlVersion: manifest.ggml });
    const file = path.join(copy, "lib", Object.keys(manifest.files)[0] ?? "");
    truncateSync(file, 5000);
    expect(readRebuiltCpu(copied)).toBeNull();
    rmSync(file);
    expect(readRebuiltCpu(copied)).toBeNull();
  });

  /** Loads ggml in a process of its own with these backends, and gives what it says of `ggml`, JSON. */
  function askWith(options: RebuiltCpu, statements: string): unknown {
    const module = (name: string): string => JSON.stringify(path.join(import.meta.dirname, `${name}.ts`));
    const script = `
      const { loadFiles } = await import(${module("ggml")});
      const { findLibrary } = await import(${module("library")});
      const { repackedProducts } = await import(${module("testing/repacked-products")});
      const ggml = loadFiles({ ...findLibrary(), rebuiltCpu: ${JSON.stringify(options)} });
      console.log(JSON.stringify(${statements}));`;
    const { stdout, stderr, status, signal } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", script],
      { encoding: "utf8" },
    );
    if (stdout === "") throw new Error(`it ended with ${signal ?? status}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** Those that this processor can run. */
  function filesThatRun(): string[] {
    const { native } = loadGgml();
    return Object.keys(manifest.files).filter((name) => native.scoreBackend(path.join(rebuilt.directory, name)) > 0);
  }

  function loadWith(options: RebuiltCpu) {
    const what = "{ file: ggml.cpuBackendFile(), devices: ggml.devices().map(({ name }) => name) }";
    return askWith(options, what) as { readonly file: string; readonly devices: readonly string[] };
  }

  it.each(["q4_k", "q8_0"])(
    "multiply %s to the same bits, whichever of them runs and however many rows there are",
    (type) => {
      const runs = filesThatRun();
      const hashes = runs.map((name) => {
        const directory = path.join(temporary, type, name);
        mkdirSync(directory, { recursive: true });
        copyFileSync(path.join(rebuilt.directory, name), path.join(directory, name));
        return askWith(
          { ...rebuilt, directory },
          `[ggml.cpuBackendFile(), ...repackedProducts(ggml, "${type}")]`,
        ) as string[];
      });
      expect(hashes.map(([file = ""]) => path.basename(file))).toEqual(runs);
      // For each variant as many hashes as rows, all the same.
      const [first] = hashes;
      for (const [, ...rows] of hashes) expect(rows).toEqual(first?.slice(1));
    },
  );

  it("give way to the prebuilt ones when they cannot be loaded, are of another version, or are gone", () => {
    const { directory } = findLibrary();
    const broken = path.join(temporary, "broken");
    cpSync(rebuilt.directory, broken, { recursive: true });
    for (const name of readdirSync(broken)) writeFileSync(path.join(broken, name), "not a library");
    for (const options of [
      { ...rebuilt, directory: broken },
      { ...rebuilt, ggmlVersion: "0.25.2" },
      { ...rebuilt, directory: path.join(temporary, "gone") },
    ]) {
      const { file, devices } = loadWith(options);
      expect(path.dirname(file)).toBe(realpathSync(directory));
      expect(devices).toEqual(["CPU"]);
    }
  });

  it("leave one CPU, from their own folder", () => {
    const copy = path.join(temporary, "copy");
    cpSync(rebuilt.directory, copy, { recursive: true });
    const { file, devices } = loadWith({ ...rebuilt, directory: copy });
    expect(devices).toEqual(["CPU"]);
    expect(path.dirname(file)).toBe(filesThatRun().length > 0 ? copy : realpathSync(findLibrary().directory));
  });
});
