/**
 * Runs every program of examples/ as its header says and checks what comes out; those that need a server get one with the demo
 * model. `npm run examples`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DemoServer, startDemoServer } from "./serving/demo-server.ts";

const root = join(import.meta.dirname, "..");
const WAV_HEADER_BYTES = 44;

interface ExampleRun {
  readonly args: (folder: string, serverUrl: string) => readonly string[];
  /** True if it speaks through a server. */
  readonly needsServer?: boolean;
  /** The problem with the run, or null. */
  readonly problem: (output: Buffer, folder: string) => string | null;
}

const RUNS: Readonly<Record<string, ExampleRun>> = {
  "speak.ts": {
    args: (folder) => [join(folder, "out.wav")],
    problem: (_output, folder) => isNotSpeech(readFileSync(join(folder, "out.wav")).subarray(WAV_HEADER_BYTES)),
  },
  "clone-voice.ts": {
    args: (folder) => {
      const voice = join(root, "demo-checkpoint", "voices", "slt");
      return [`${voice}.wav`, readFileSync(`${voice}.txt`, "utf8"), join(folder, "out.wav")];
    },
    problem: (_output, folder) => isNotSpeech(readFileSync(join(folder, "out.wav")).subarray(WAV_HEADER_BYTES)),
  },
  "stream.ts": { args: () => [], problem: (output) => isNotSpeech(output) },
  "client-stream.ts": {
    needsServer: true,
    args: (_folder, url) => [url],
    problem: (output) =>
      output.length > 8000 && output.subarray(0, 3).equals(Buffer.from("ID3")) ? null : "it wrote no MP3 with a tag",
  },
  "client-queue.ts": {
    needsServer: true,
    args: (folder, url) => ["local", join(folder, "out.wav"), `${url}/v2`],
    problem: (_output, folder) => isNotSpeech(readFileSync(join(folder, "out.wav")).subarray(WAV_HEADER_BYTES)),
  },
  "own-worker.ts": {
    args: () => ["--test_input", '{"input": {"text": "one two three two"}}'],
    problem: (output) => lacks(output, '"output":{"words":4,"counts":{"one":1,"two":2,"three":1}}'),
  },
  "emulated-platform.ts": {
    args: () => [],
    problem: (output) =>
      lacks(output, 'COMPLETED {"words":9') ??
      lacks(output, "the worker posted its result twice") ??
      lacks(output, "the worker exited with code 0"),
  },
};

function lacks(output: Buffer, text: string): string | null {
  return output.includes(text) ? null : `its output lacks ${text}`;
}

/** At least a second of 16-bit samples at 24 kHz, with sound in each half of it. */
function isNotSpeech(samples: Buffer): string | null {
  if (samples.length < 2 * 24_000) return `it made ${samples.length} bytes of samples`;
  const middle = 2 * Math.floor(samples.length / 4);
  const halves = [samples.subarray(0, middle), samples.subarray(middle)];
  return halves.some((half) => peakOf(half) < 0.05) ? "a half of its audio is silent" : null;
}

function peakOf(samples: Buffer): number {
  let peak = 0;
  for (let at = 0; at + 1 < samples.length; at += 2) peak = Math.max(peak, Math.abs(samples.readInt16LE(at)));
  return peak / 32_768;
}

let server: DemoServer | undefined;

async function run(name: string): Promise<string | null> {
  const example = RUNS[name];
  if (example === undefined) return "is not in scripts/run-examples.ts";
  if (example.needsServer === true) server ??= await startDemoServer();
  const folder = mkdtempSync(join(tmpdir(), "example-"));
  try {
    const result = spawnSync(
      process.execPath,
      ["--import", "tsx", join(root, "examples", name), ...example.args(folder, server?.url ?? "")],
      { cwd: root, maxBuffer: 64 * 1024 * 1024 },
    );
    if (result.status !== 0) return `ended with ${result.status ?? result.signal}: ${result.stderr.toString()}`;
    return example.problem(result.stdout, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const names = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"));
const problems: (string | null)[] = [];
for (const name of names) {
  const header = readFileSync(join(root, "examples", name), "utf8").split("\n", 3);
  const problem = header.every((line) => line.startsWith("// "))
    ? await run(name)
    : "does not begin with three lines of comment";
  console.log(`${problem === null ? "passed" : "failed"} examples/${name}${problem === null ? "" : `: ${problem}`}`);
  problems.push(problem);
}
await server?.stop();
const failed = problems.filter((problem) => problem !== null).length;
console.log(`${names.length - failed} passed, ${failed} failed`);
if (names.length === 0 || failed > 0) process.exitCode = 1;
