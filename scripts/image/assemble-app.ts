/**
 * Writes what the image needs of this workspace, pruned, after `npm ci` and the build. A stage of the Dockerfile runs it:
 *
 *   node scripts/image/assemble-app.ts OUT
 *
 * OUT/modules has the packages of others, OUT/app ours and the links to them: layers that change together.
 */
import { cpSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { isKept, namedFiles, productionPackages, type InstalledPackage } from "./pruning.ts";

/** The program's package, in the workspace. */
const PROGRAM = "apps/worker";
const DEMO = "demo-checkpoint/checkpoint";

const root = join(import.meta.dirname, "..", "..");
const out = process.argv[2];
if (out === undefined) throw new Error("Cannot assemble the app: name a folder to write to");

const packages = productionPackages(root, PROGRAM);
let bytes = 0;
for (const installed of packages) bytes += installed.own === null ? copyForeign(installed) : copyOwn(installed);
copyFile(join(root, "LICENSE"), join(out, "app", "LICENSE"));
// For the tests of RunPod's Hub, which have no volume; a worker uses it only where a setting names it.
cpSync(join(root, DEMO), join(out, "app", DEMO), { recursive: true });
console.log(`${packages.length} packages, ${(bytes / 1e6).toFixed(1)} MB`);

function copyForeign({ name, directory, link }: InstalledPackage): number {
  return copyKept(name, directory, "", join(out ?? "", "modules", link));
}

function copyOwn({ name, directory, link, own }: InstalledPackage): number {
  const place = relative(root, directory);
  const target = join(out ?? "", "app", place);
  const linkPath = join(out ?? "", "app", link);
  mkdirSync(dirname(linkPath), { recursive: true });
  symlinkSync(relative(dirname(link), place), linkPath);
  let copied = 0;
  for (const entry of ["package.json", ...namedFiles(directory, own ?? [])]) {
    const path = join(directory, entry);
    if (statSync(path).isDirectory()) copied += copyKept(name, directory, entry, target);
    // Named in `files`, so needed, whatever it is called.
    else copied += copyFile(path, join(target, entry));
  }
  return copied;
}

/** Copies a folder of a package without what is pruned; nested packages are packages of their own. */
function copyKept(name: string, directory: string, folder: string, target: string): number {
  let copied = 0;
  for (const entry of readdirSync(join(directory, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.name === "node_modules") continue;
    if (entry.isDirectory()) copied += copyKept(name, directory, path, target);
    else if (isKept(name, path)) copied += copyFile(join(directory, path), join(target, path));
  }
  return copied;
}

function copyFile(from: string, to: string): number {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
  return statSync(to).size;
}
