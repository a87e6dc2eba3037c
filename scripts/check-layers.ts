/** Refuses imports that the package map does not allow. `npm run check:layers`. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { checkLayers, type SourceFile } from "./layers/check.ts";
import { PACKAGE_RULES } from "./layers/rules.ts";

const root = join(import.meta.dirname, "..");

function sourcesBelow(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[/\\](node_modules|dist)[/\\]/.test(path))
    .map((path) => ({ path: relative(root, path).split(sep).join("/"), source: readFileSync(path, "utf8") }));
}

function exportsOf(packageName: string): string[] {
  const folder = PACKAGE_RULES[packageName]?.folder ?? "";
  const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as { exports?: object };
  return Object.keys(manifest.exports ?? {});
}

const report = checkLayers(["packages", "apps"].flatMap(sourcesBelow), exportsOf);
for (const arrow of report.arrows) console.log(`  ${arrow}`);
for (const problem of report.problems) console.error(problem);
console.log(
  `${report.files} files, ${report.imports} imports, ${report.arrows.length} arrows between packages, ` +
    `${report.problems.length} problems`,
);
if (report.files === 0 || report.problems.length > 0) process.exitCode = 1;
