/**
 * Writes the GPU library of one target, and of NVIDIA's runtime libraries those that it needs. A stage of the Dockerfile runs
 * it in a folder with the target's `node_modules`:
 *
 *   node scripts/image/assemble-gpu.ts OUT [WHEELS]
 *
 * WHEELS is a folder with unpacked wheels. OUT/nvidia and OUT/ggml lie below the image's root, two layers: the first changes
 * with CUDA, the second with ggml. Needs `readelf`.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { neededLibraries } from "./elf-facts.ts";
import { isKept } from "./pruning.ts";

const SCOPE = "@node-llama-cpp";
const PLAIN = "linux-x64";
/** Where the image has its packages. */
const IN_IMAGE = join("app", "node_modules", SCOPE);
const LICENSES_IN_IMAGE = join("usr", "share", "doc");
const GPU_LIBRARY = /^libggml-(cuda|vulkan)\.so$/;

const [out, wheels] = process.argv.slice(2);
if (out === undefined) throw new Error("Cannot assemble the GPU library: name a folder to write to");

const installed = join("node_modules", SCOPE);
const plainFiles = new Map(filesBelow(join(installed, PLAIN)).map((path) => [basename(path), path]));
const gpuPackage = readdirSync(installed).find((name) => name !== PLAIN);
if (gpuPackage === undefined) throw new Error(`Cannot assemble the GPU library: none is installed in ${installed}`);

const gpuFiles = filesBelow(join(installed, gpuPackage));
for (const file of gpuFiles) {
  const place = relative(installed, file);
  const isGpuLibrary = GPU_LIBRARY.test(basename(file));
  if (!isGpuLibrary && !isKept(`${SCOPE}/${gpuPackage}`, relative(gpuPackage, place))) continue;
  const twin = plainFiles.get(basename(file));
  if (file.endsWith(".so") && twin !== undefined && readFileSync(twin).equals(readFileSync(file))) link(place, twin);
  else copy(file, join(out, "ggml", IN_IMAGE, place));
  if (!isGpuLibrary) continue;
  for (const name of neededLibraries(file)) {
    // The package for CUDA 12 holds nothing but this library.
    const core = plainFiles.get(name);
    if (core !== undefined && !existsSync(join(dirname(file), name))) link(join(dirname(place), name), core);
  }
  if (wheels !== undefined) copyNeeded(file, wheels, join(out, "nvidia", IN_IMAGE, dirname(place)));
}

/** The plain package is in the image too: its files need not be there twice. */
function link(place: string, twin: string): void {
  const target = join(out ?? "", "ggml", IN_IMAGE, place);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(relative(dirname(place), relative(installed, twin)), target);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

/** Copies what a library needs of the wheels beside it, where its run path has the loader look first; and their licenses. */
function copyNeeded(library: string, wheelsDir: string, target: string): void {
  const offered = new Map(filesBelow(wheelsDir).map((path) => [basename(path), path]));
  const waiting = neededLibraries(library);
  const copied = new Set<string>();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const path = offered.get(name);
    if (path === undefined || copied.has(name)) continue;
    copied.add(name);
    copy(path, join(target, name));
    waiting.push(...neededLibraries(path));
  }
  console.log(`${basename(library)} needs ${[...copied].join(", ")} of the wheels`);
  for (const wheel of readdirSync(wheelsDir).filter((name) => name.endsWith(".dist-info"))) {
    const text = filesBelow(join(wheelsDir, wheel)).find((path) => basename(path) === "License.txt");
    if (text === undefined) continue;
    copy(text, join(out ?? "", "nvidia", LICENSES_IN_IMAGE, basename(wheel, ".dist-info"), "copyright"));
  }
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
