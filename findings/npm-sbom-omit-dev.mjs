// `npm sbom --omit=dev` fails with ESBOMPROBLEMS where development packages were omitted from the installation too.
// packages: npm@11.19.1
//
// It checks the whole installed tree before it omits anything, so that what `npm ci --omit=dev` left out counts as missing. Take
// the bill from the lock file: `npm sbom --omit=dev --package-lock-only`; it then also lists optional packages of other platforms.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const npm = join(import.meta.dirname, "node_modules", "npm", "bin", "npm-cli.js");
const folder = mkdtempSync(join(tmpdir(), "npm-sbom-"));
const run = (...args) => {
  const options = ["--offline", "--no-audit", "--no-fund"];
  return spawnSync(process.execPath, [npm, ...args, ...options], { cwd: folder, encoding: "utf8" });
};
const write = (place, manifest) => {
  mkdirSync(join(folder, place), { recursive: true });
  writeFileSync(join(folder, place, "package.json"), JSON.stringify({ version: "1.0.0", ...manifest }));
};

write("tool", { name: "tool" });
write("library", { name: "library" });
write(".", {
  name: "app",
  dependencies: { library: "file:library" },
  devDependencies: { tool: "file:tool" },
});
run("install");
const all = run("sbom", "--omit=dev", "--sbom-format", "cyclonedx");
rmSync(join(folder, "node_modules"), { recursive: true });
const installed = run("ci", "--omit=dev");
const omitted = run("sbom", "--omit=dev", "--sbom-format", "cyclonedx");
const locked = run("sbom", "--omit=dev", "--package-lock-only", "--sbom-format", "cyclonedx");
rmSync(folder, { recursive: true });

const problem = /npm error (code \w+|missing: \S+)/g;
console.log(`everything installed: exit code ${all.status}`);
console.log(`npm ci --omit=dev: exit code ${installed.status}`);
console.log(`then npm sbom --omit=dev: exit code ${omitted.status}, ${omitted.stderr.match(problem)?.join(", ")}`);
console.log(`with --package-lock-only: exit code ${locked.status}`);
const isRefused = omitted.status !== 0 && omitted.stderr.includes("ESBOMPROBLEMS");
const isSo = all.status === 0 && installed.status === 0 && isRefused && locked.status === 0;
console.log(isSo ? "still so" : "no longer so");
process.exit(isSo ? 0 : 1);
