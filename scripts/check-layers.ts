/**
 * Refuses imports that the package map does not allow, circles of files, and exports of a package that nothing outside it
 * uses. `npm run check:layers`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { checkLayers, type SourceFile } from "./layers/check.ts";
import { findDeadExports, type PackageFace } from "./layers/dead-exports.ts";
import { PACKAGE_RULES, PUBLIC_FACES } from "./layers/rules.ts";

const root = join(import.meta.dirname, "..");
const USER_FOLDERS = ["packages", "apps", "scripts", "examples", "findings", "bench"];

function sourcesBelow(folder: string, extensions = /\.ts$/): SourceFile[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[/\\](node_modules|dist)[/\\]/.test(path))
    .map((path) => ({ path: relative(root, path).split(sep).join("/"), source: readFileSync(path, "utf8") }));
}

/** Source of each face of a package, by the key of its `exports` field (`.`, `./emulator`). */
function exportsOf(packageName: string): Readonly<Record<string, string>> {
  const folder = PACKAGE_RULES[packageName]?.folder ?? "";
  const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
    exports?: Readonly<Record<string, { readonly source: string }>>;
  };
  return Object.fromEntries(Object.entries(manifest.exports ?? {}).map(([key, { source }]) => [key, source]));
}

function facesOf(packageName: string): PackageFace[] {
  const folder = PACKAGE_RULES[packageName]?.folder ?? "";
  return Object.entries(exportsOf(packageName)).map(([key, file]) => {
    const path = `${folder}/${file.replace("./", "")}`;
    return {
      specifier: key === "." ? packageName : `${packageName}/${key.replace("./", "")}`,
      folder,
      index: { path, source: readFileSync(join(root, path), "utf8") },
    };
  });
}

const report = checkLayers(
  ["packages", "apps"].flatMap((folder) => sourcesBelow(folder)),
  (name) => Object.keys(exportsOf(name)),
);
const faces = Object.keys(PACKAGE_RULES)
  .flatMap(facesOf)
  .filter(({ specifier }) => PUBLIC_FACES[specifier] === undefined);
const users = USER_FOLDERS.flatMap((folder) => sourcesBelow(folder, /\.(ts|mjs|js)$/));
const dead = findDeadExports(faces, users).map(
  (name) => `${name} is exported, and nothing outside its package uses it`,
);
const problems = [...report.problems, ...dead];
for (const arrow of report.arrows) console.log(`  ${arrow}`);
for (const problem of problems) console.error(problem);
console.log(
  `${report.files} files, ${report.imports} imports, ${report.arrows.length} arrows between packages, ` +
    `${faces.length} faces, ${problems.length} problems`,
);
if (report.files === 0 || problems.length > 0) process.exitCode = 1;
