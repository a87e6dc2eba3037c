/**
 * Prints what is in ggml's GPU libraries: machine code, PTX and its version, and the libraries that they need. Without arguments
 * of the packages that the images pin, which it installs into .cache; else of the files named: `npm run gpu-libraries [-- FILE …]`.
 * Needs binutils and Python with pip.
 */
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { cudaCodeOf, fetchCuobjdump } from "./image/cuda-code.ts";
import { neededLibraries } from "./image/elf-facts.ts";
import { TARGETS } from "./image/measured.ts";
import { mustRun } from "./image/programs.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache", "image");

const named = process.argv.slice(2);
const files =
  named.length > 0 ? named : (await Promise.all(TARGETS.map(({ name }) => installedLibraries(name)))).flat();
const cuobjdump = await fetchCuobjdump(root, join(cache, "cuobjdump"));
for (const file of files) {
  console.log(`${file}\n  needs ${neededLibraries(file).join(", ")}`);
  if (!basename(file).includes("cuda")) continue;
  const { machineCode, ptx, ptxVersion } = await cudaCodeOf(file, cuobjdump);
  console.log(`  machine code ${machineCode.join(", ")}\n  PTX ${ptx.join(", ")}, version ${ptxVersion}`);
}

/** The GPU library of a target's pinned package. */
async function installedLibraries(target: string): Promise<string[]> {
  const folder = join(cache, "packages", target);
  mkdirSync(folder, { recursive: true });
  for (const name of ["package.json", "package-lock.json"])
    cpSync(join(root, "docker", target, name), join(folder, name));
  await mustRun("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder]);
  return readdirSync(join(folder, "node_modules"), { withFileTypes: true, recursive: true })
    .filter(({ name }) => /^libggml-(cuda|vulkan)\.so$/.test(name))
    .map(({ parentPath, name }) => join(parentPath, name));
}
