/**
 * Runs the S3 store of the worker against real S3 servers on this machine and prints what each of them did, for docs/S3.md.
 * The servers are installed, with fixed versions, into a folder that is kept; one that cannot be installed is
 * skipped with a message. Needs a package registry the first time, and for each server: Go, Maven and Java, or Python.
 *
 *   npm run check:s3-servers [-- FOLDER] [--write]     --write puts the table into docs/S3.md
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DELIVERY_QUESTIONS } from "./s3-servers/delivery-questions.ts";
import { UPLOAD_QUESTIONS } from "./s3-servers/questions.ts";
import { makeBucket, type Store } from "./s3-servers/store.ts";
import { install, SERVERS, start, type ServerKey, type ServerKind } from "./s3-servers/servers.ts";

const QUESTIONS = [...UPLOAD_QUESTIONS, ...DELIVERY_QUESTIONS];
const KEY: ServerKey = { accessKeyId: "AKIDHIGGS", secretAccessKey: "secret/with+signs=", region: "us-east-1" };
const isWritten = process.argv.includes("--write");
const [given] = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const folder = resolve(given ?? join(import.meta.dirname, "..", ".cache", "s3-servers"));
const counts = { passed: 0, failed: 0, skipped: 0 };

console.log(`Installing ${SERVERS.map(({ name, version }) => `${name} ${version}`).join(", ")} into ${folder}`);
const problems = await Promise.all(SERVERS.map((kind) => install(kind, join(folder, kind.name))));
const columns: { readonly kind: ServerKind; readonly seen: ReadonlyMap<string, string> }[] = [];
for (const [index, kind] of SERVERS.entries()) {
  const problem = problems[index] ?? null;
  if (problem === null) columns.push({ kind, seen: await askAll(kind) });
  else {
    counts.skipped += QUESTIONS.length;
    console.log(`SKIPPED: ${kind.name} ${kind.version} was not tested: ${problem}`);
  }
}
if (columns.length > 0) {
  const table = tableOf(columns);
  console.log(table);
  // Only with all servers, so that the document does not lose one that could not be installed here.
  if (isWritten && counts.failed === 0 && columns.length === SERVERS.length) writeDocument(table);
}
console.log(
  `${counts.passed} passed, ${counts.failed} failed${counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`}`,
);
process.exit(counts.failed === 0 ? 0 : 1);

/** Observations by the name of the question. */
async function askAll(kind: ServerKind): Promise<Map<string, string>> {
  const seen = new Map<string, string>();
  const installed = join(folder, kind.name);
  const data = mkdtempSync(join(folder, `${kind.name}-data-`));
  try {
    const server = await start(kind, { installed, data, key: KEY });
    try {
      const store: Store = { url: server.url, key: KEY, bucket: "higgs-audio", checksKeys: kind.checksKeys };
      await makeBucket(store);
      for (const question of QUESTIONS) seen.set(question.name, await askOne(kind, question, store));
    } finally {
      server.stop();
    }
  } catch (error) {
    counts.failed++;
    console.log(`FAILED: ${kind.name} ${kind.version}: ${String(error)}`);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
  return seen;
}

async function askOne(kind: ServerKind, question: (typeof QUESTIONS)[number], store: Store): Promise<string> {
  if (question.isAboutKeys === true && !kind.checksKeys) {
    counts.skipped++;
    return "checks no keys";
  }
  try {
    const answer = await question.ask(store);
    counts.passed++;
    return answer;
  } catch (error) {
    counts.failed++;
    console.log(`FAILED: ${kind.name}: ${question.name}: ${String(error)}`);
    return "**failed**";
  }
}

function tableOf(servers: typeof columns): string {
  const rows = QUESTIONS.map(({ name }) => [name, ...servers.map(({ seen }) => seen.get(name) ?? "not asked")]);
  const head = ["", ...servers.map(({ kind }) => `${kind.name} ${kind.version}`)];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function writeDocument(table: string): void {
  const path = join(import.meta.dirname, "..", "docs", "S3.md");
  const text = readFileSync(path, "utf8");
  writeFileSync(
    path,
    text.replace(/(<!-- Written by `npm run check:s3-servers[^\n]*\n)(?:\|[^\n]*\n)+/, `$1${table}\n`),
  );
}
