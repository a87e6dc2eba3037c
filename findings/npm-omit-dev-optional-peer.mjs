// `npm ci --omit=dev` installs a development package if it is the optional peer of a production package.
// packages: npm@11.19.1
//
// valibot names TypeScript as an optional peer, so every project that is written in TypeScript and uses valibot has 31 MB of compiler
// in production; `--omit=peer` changes nothing. Copy what `dependencies` name instead of what was installed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const npm = join(import.meta.dirname, "node_modules", "npm", "bin", "npm-cli.js");
const folder = mkdtempSync(join(tmpdir(), "npm-peer-"));
const run = (...args) => {
  const options = ["--offline", "--no-audit", "--no-fund", "--install-links"];
  return spawnSync(process.execPath, [npm, ...args, ...options], { cwd: folder, encoding: "utf8" });
};
const write = (place, manifest) => {
  mkdirSync(join(folder, place), { recursive: true });
  writeFileSync(join(folder, place, "package.json"), JSON.stringify({ version: "1.0.0", ...manifest }));
};

write("compiler", { name: "compiler" });
write("tool", { name: "tool" });
write("library", {
  name: "library",
  peerDependencies: { compiler: "*" },
  peerDependenciesMeta: { compiler: { optional: true } },
});
write(".", {
  name: "app",
  dependencies: { library: "file:library" },
  devDependencies: { compiler: "file:compiler", tool: "file:tool" },
});
run("install");
const seen = [["--omit=dev"], ["--omit=dev", "--omit=peer"]].map((omit) => {
  rmSync(join(folder, "node_modules"), { recursive: true, force: true });
  const { status } = run("ci", ...omit);
  const isThere = (name) => existsSync(join(folder, "node_modules", name));
  const state = { compiler: isThere("compiler"), tool: isThere("tool"), library: isThere("library") };
  console.log(`npm ci ${omit.join(" ")}: exit code ${status}, installed ${JSON.stringify(state)}`);
  return state;
});
rmSync(folder, { recursive: true });
const isSo = seen.every(({ compiler, tool, library }) => compiler && !tool && library);
console.log(isSo ? "still so" : "no longer so");
process.exit(isSo ? 0 : 1);
