import { basename } from "node:path";
import { deviceBackendIn, type LibraryFlavor, neededLibraries } from "@higgs-worker/ggml";
import { isInstalled } from "../model/device.ts";
import { CUDA_BUILDS } from "./cuda-builds.ts";
import type { LibraryName } from "./judge-library.ts";

/** The build that has a library's backend. */
export function flavorOf(library: LibraryName): LibraryFlavor {
  return library === "metal" ? "cpu" : library;
}

/** The libraries that are there: in the npm packages of this platform, or in the one folder that is given. */
export function installedLibraries(ggmlDirectory: string | undefined): LibraryName[] {
  const metal: LibraryName[] = process.platform === "darwin" ? ["metal"] : [];
  if (ggmlDirectory !== undefined) return [...libraryIn(ggmlDirectory), ...metal, "cpu"];
  const found = (["cuda13", "cuda12", "vulkan"] as const).filter(isInstalled);
  return [...found, ...metal, "cpu"];
}

/** The library of a folder's device backend; a CUDA backend tells by the runtime that it is linked with. */
function libraryIn(directory: string): LibraryName[] {
  const file = deviceBackendIn(directory);
  if (file === null) return [];
  if (basename(file).includes("vulkan")) return ["vulkan"];
  const isOf = (runtime: number) => neededLibraries(file).includes(`libcudart.so.${runtime}`);
  return [isOf(CUDA_BUILDS.cuda12.runtime) ? "cuda12" : "cuda13"];
}
