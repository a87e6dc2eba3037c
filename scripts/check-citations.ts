/** Refuses citations, statement ids and links that do not resolve, and decisions out of form. `npm run check:citations`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { STATEMENTS } from "../packages/runpod-worker/test/conformance/statements.ts";
import { checkCitations, type TextFile } from "./citations/check.ts";
import { checkDecisions } from "./citations/decisions.ts";

const root = join(import.meta.dirname, "..");
const FOLDERS = ["apps", "packages", "docs", "scripts", "examples", "findings", "demo-checkpoint/training"];
const TEXT = /\.(ts|js|mjs|py|sh|md)$/;
/** These contain wrong citations on purpose. */
const LEFT_OUT =
  /^scripts\/citations\/.*\.test\.ts$|^scripts\/(citations\/(find-citations|check)|check-citations)\.ts$/;

function filesBelow(folder: string, recursive: boolean): TextFile[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive, withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXT.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[/\\](node_modules|dist|coverage)[/\\]/.test(path))
    .map((path) => ({ path: relative(root, path).split(sep).join("/"), text: readFileSync(path, "utf8") }))
    .filter(({ path }) => !LEFT_OUT.test(path));
}

const files = [...filesBelow(".", false), ...FOLDERS.flatMap((folder) => filesBelow(folder, true))];
const report = checkCitations(files, {
  pages: { model: "docs/spec/model.md", platform: "docs/spec/platform.md", contract: "docs/spec/contract.md" },
  statements: new Set(STATEMENTS.map(({ id }) => id)),
  statementFolder: "packages/runpod-worker/",
  outside: "../shared",
  exists: (path) => existsSync(join(root, path)),
});
const problems = [...report.problems, ...checkDecisions(files)];
for (const problem of problems) console.error(problem);
console.log(`${report.citations} citations, ${report.links} links, ${problems.length} problems`);
if (report.citations === 0 || problems.length > 0) process.exitCode = 1;
