import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** CPU backends of our own build: the same source as the prebuilt library's, compiled by a newer compiler. */
export interface RebuiltCpu {
  /** Folder with `libggml-cpu-*.so`, one for each kind of processor; the core libraries are those of the prebuilt package. */
  readonly directory: string;
  /** Version of ggml that they were built from. They share structs with its core, so no other version may load them. */
  readonly ggmlVersion: string;
}

const MANIFEST = "@higgs-worker/ggml-cpu-linux-x64/manifest.json";

interface Manifest {
  readonly ggml: string;
  readonly files: Readonly<Record<string, { readonly bytes: number }>>;
}

/** Finds them; null on other platforms, and where their package is missing or damaged. */
export function findRebuiltCpu(platform: NodeJS.Platform, arch: string): RebuiltCpu | null {
  if (platform !== "linux" || arch !== "x64") return null;
  try {
    return readRebuiltCpu(createRequire(import.meta.url).resolve(MANIFEST));
  } catch {
    return null;
  }
}

/** Reads them from a manifest; null unless each of its files is whole: loading one that is cut off ends the process. */
export function readRebuiltCpu(manifestPath: string): RebuiltCpu | null {
  const directory = path.join(path.dirname(manifestPath), "lib");
  const { ggml, files } = JSON.parse(readFileSync(manifestPath, "utf8")) as Manifest;
  const isWhole = Object.entries(files).every(([name, { bytes }]) => {
    return statSync(path.join(directory, name), { throwIfNoEntry: false })?.size === bytes;
  });
  return isWhole ? { directory, ggmlVersion: ggml } : null;
}
