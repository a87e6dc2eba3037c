/** Writes the documents, and the parts of documents, that come from code. `--check` only compares, and fails on a difference. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configMarkdown } from "../apps/worker/src/config/describe.ts";
import { SETTINGS } from "../apps/worker/src/config/settings.ts";
import { jobFieldsMarkdown, jobInputSchema } from "../apps/worker/src/job/describe-fields.ts";
import { benchmarksMarkdown } from "./docs/benchmarks-markdown.ts";
import { guardMarkdown } from "./docs/guard-markdown.ts";
import { errorsMarkdown } from "./docs/errors-markdown.ts";
import { hubJson } from "./docs/hub-json.ts";
import { jobInputTypes } from "./docs/job-input-types.ts";
import { imageMarkdown } from "./docs/image-markdown.ts";
import { metricsMarkdown } from "./docs/metrics-markdown.ts";
import { withGeneratedPart } from "./docs/generated-part.ts";
import type { Measured } from "./image/measured.ts";

const root = join(import.meta.dirname, "..");
const resultsDir = join(root, "bench", "results");

const results = existsSync(resultsDir)
  ? readdirSync(resultsDir)
      .filter((name) => name.endsWith(".json"))
      .map((name) => ({ name, json: readFileSync(join(resultsDir, name), "utf8") }))
  : [];

const { contextLength, maxTranscriptChars } = SETTINGS;
const inputSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  ...jobInputSchema({
    contextLength: contextLength.defaultValue,
    maxTranscriptChars: maxTranscriptChars.defaultValue,
  }),
};

const documents: Readonly<Record<string, string>> = {
  ".runpod/hub.json": hubJson(),
  "docs/CONFIG.md": configMarkdown(),
  "docs/ERRORS.md": errorsMarkdown(),
  "docs/BENCHMARKS.md": benchmarksMarkdown(results),
  "docs/OPERATIONS.md": withGeneratedPart(readFileSync(join(root, "docs/OPERATIONS.md"), "utf8"), metricsMarkdown()),
  "docs/SPEECH.md": withGeneratedPart(readFileSync(join(root, "docs/SPEECH.md"), "utf8"), guardMarkdown()),
  "docs/JOB.md": withGeneratedPart(readFileSync(join(root, "docs/JOB.md"), "utf8"), jobFieldsMarkdown()),
  "docs/IMAGE.md": withGeneratedPart(
    readFileSync(join(root, "docs/IMAGE.md"), "utf8"),
    imageMarkdown(JSON.parse(readFileSync(join(root, "docker/measured.json"), "utf8")) as Measured),
  ),
  "docs/job-input.schema.json": `${JSON.stringify(inputSchema, null, 2)}\n`,
  "packages/client/src/job-input.ts": jobInputTypes(inputSchema),
};

const isCheck = process.argv.includes("--check");
let drifted = 0;
for (const [name, content] of Object.entries(documents)) {
  const path = join(root, name);
  const isCurrent = existsSync(path) && readFileSync(path, "utf8") === content;
  if (isCurrent) continue;
  drifted++;
  if (isCheck) console.error(`${name} is out of date; run: npm run docs:generate`);
  else writeFileSync(path, content);
}
console.log(`${Object.keys(documents).length} generated documents, ${drifted} ${isCheck ? "out of date" : "written"}`);
if (isCheck && drifted > 0) process.exitCode = 1;
