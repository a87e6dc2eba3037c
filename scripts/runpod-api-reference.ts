/**
 * Writes packages/runpod-worker/docs/api.md from the doc comments of the package's exports, as the compiler puts
 * them into dist: `npx tsc -b packages/runpod-worker && npx tsx scripts/runpod-api-reference.ts`. With `--check` the page
 * is compared instead of written.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Declaration, exportedNames, findDeclaration } from "./api-reference/declarations.ts";

const packageFolder = join(import.meta.dirname, "..", "packages", "runpod-worker");
const pagePath = join(packageFolder, "docs", "api.md");

const ENTRIES: readonly (readonly [importPath: string, folder: string, about: string])[] = [
  ["runpod-worker", ".", "The worker."],
  ["runpod-worker/emulator", "emulator", "The emulator of the platform, for tests of any worker."],
  ["runpod-worker/local-api", "local-api", "The local server of the public API."],
  ["runpod-worker/http", "http", "For routes of your own in that server."],
];

function declarationsOf(folder: string): readonly Declaration[] {
  const index = readFileSync(join(packageFolder, "src", folder, "index.ts"), "utf8");
  return exportedNames(index).map(({ name, module }) => {
    const file = posix.join("dist", folder, module).replace(/\.ts$/, ".d.ts");
    return findDeclaration(readFileSync(join(packageFolder, file), "utf8"), name);
  });
}

function section([importPath, folder, about]: (typeof ENTRIES)[number]): readonly string[] {
  return [
    `## \`${importPath}\``,
    "",
    about,
    "",
    ...declarationsOf(folder).flatMap(({ name, documentation, code }) => [
      `### ${name}`,
      "",
      ...(documentation === "" ? [] : [documentation, ""]),
      "```ts",
      code.replaceAll("    ", "  "),
      "```",
      "",
    ]),
  ];
}

const intro = ["# API reference", "", "Generated from the doc comments by `npm run docs:generate`; do not edit.", ""];
const page = [...intro, ...ENTRIES.flatMap(section)].join("\n");
if (!process.argv.includes("--check")) {
  writeFileSync(pagePath, page);
} else if (readFileSync(pagePath, "utf8") !== page) {
  console.error("docs/api.md is out of date; run: npm run docs:generate");
  process.exitCode = 1;
}
