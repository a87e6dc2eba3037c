/**
 * Measures `higgs serve` with the demo model on a CPU: how soon a streamed job of a known voice is heard, and what it costs against the
 * same job in one piece. Compares this checkout with others that are built, in alternating runs.
 *
 *   npm run measure:streaming -- [--pairs N] [OTHER_CHECKOUT...]
 *
 * Processor time is that of the server and its engine, and needs Linux.
 */
import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { median } from "./load/client.ts";
import { processTree } from "./load/memory.ts";
import { type DemoServer, startDemoServer } from "./serving/demo-server.ts";

const ROOT = join(import.meta.dirname, "..");
const DEFAULT_PAIRS = 15;
const TEXTS = [
  "The little boy went down to the river with his brother.",
  "She gave me a book about the sea and the old ships.",
  "The sun is warm and the sky is blue over the green hill.",
] as const;
/** The kernel's unit of processor time. */
const TICK_MS = 10;

interface Subject {
  readonly name: string;
  readonly server: DemoServer;
  readonly seen: Measured;
}

interface Measured {
  readonly firstAudioMs: number[];
  readonly streamedMs: number[];
  readonly wholeMs: number[];
  readonly streamedProcessorMs: number[];
  readonly wholeProcessorMs: number[];
  readonly firstSeconds: number[];
  readonly seconds: number[];
}

const { pairs, others } = readArguments(process.argv.slice(2));
const subjects: Subject[] = [];
try {
  for (const root of [ROOT, ...others]) {
    const server = await startDemoServer({}, root);
    const seen = {
      firstAudioMs: [],
      streamedMs: [],
      wholeMs: [],
      streamedProcessorMs: [],
      wholeProcessorMs: [],
      firstSeconds: [],
      seconds: [],
    };
    subjects.push({ name: root === ROOT ? "this checkout" : basename(root), server, seen });
  }
  // Model and voices are loaded, kernels are warm.
  for (const subject of subjects)
    for (let index = 0; index < TEXTS.length; index++) await measure(subject, index, false);
  for (let index = 0; index < pairs; index++) {
    for (const subject of index % 2 === 0 ? subjects : subjects.toReversed()) await measure(subject, index, true);
  }
} finally {
  for (const { server } of subjects) await server.stop();
}
for (const { name, seen } of subjects) {
  const cost = median(ratios(seen.streamedMs, seen.wholeMs));
  const processorCost = sum(seen.streamedProcessorMs) / sum(seen.wholeProcessorMs);
  console.log(`${name} (medians of ${pairs}):`);
  console.log(`  first audio ${show(seen.firstAudioMs)} ms, best ${Math.min(...seen.firstAudioMs).toFixed(0)} ms`);
  console.log(
    `  audio in the first part ${median(seen.firstSeconds).toFixed(2)} s of ${median(seen.seconds).toFixed(1)} s`,
  );
  console.log(`  streamed ${show(seen.streamedMs)} ms, whole ${show(seen.wholeMs)} ms, ${cost.toFixed(2)} × (pairs)`);
  console.log(
    `  processor time: streamed ${mean(seen.streamedProcessorMs)} ms, whole ${mean(seen.wholeProcessorMs)} ms (means), ${processorCost.toFixed(2)} ×`,
  );
}
const [here, ...there] = subjects;
for (const { name, seen } of there) {
  if (here === undefined) break;
  const against = (of: (measured: Measured) => readonly number[]): string =>
    `${median(ratios(of(here.seen), of(seen))).toFixed(2)} ×`;
  console.log(
    `this checkout against ${name} (medians of pairs): first audio ${against((each) => each.firstAudioMs)}, streamed ${against((each) => each.streamedMs)}, whole ${against((each) => each.wholeMs)}`,
  );
}

function readArguments(args: readonly string[]): { readonly pairs: number; readonly others: readonly string[] } {
  const at = args.indexOf("--pairs");
  const rest = at === -1 ? args : args.toSpliced(at, 2);
  return { pairs: at === -1 ? DEFAULT_PAIRS : Number(args[at + 1]), others: rest.map((path) => resolve(path)) };
}

/** One streamed job, and the same in one piece. */
async function measure({ server, seen }: Subject, index: number, isKept: boolean): Promise<void> {
  const input = {
    transcript: TEXTS[index % TEXTS.length],
    ref_audio: "slt",
    seed: index,
  };
  const streamedFirst = Math.floor(index / 2) % 2 === 0;
  const runs = streamedFirst ? [true, false] : [false, true];
  for (const isStreamed of runs) {
    const startTicks = processorTicks(server);
    const startMs = performance.now();
    const heard = isStreamed ? await stream(server.url, input) : await runWhole(server.url, input);
    const tookMs = performance.now() - startMs;
    const processorMs = (processorTicks(server) - startTicks) * TICK_MS;
    if (!isKept) continue;
    (isStreamed ? seen.streamedMs : seen.wholeMs).push(tookMs);
    (isStreamed ? seen.streamedProcessorMs : seen.wholeProcessorMs).push(processorMs);
    if (heard === null) continue;
    seen.firstAudioMs.push(heard.firstAtMs - startMs);
    seen.firstSeconds.push(heard.firstSeconds);
    seen.seconds.push(heard.seconds);
  }
}

interface Heard {
  readonly firstAtMs: number;
  readonly firstSeconds: number;
  readonly seconds: number;
}

/** Takes a job's parts as they come, as RunPod's clients do. */
async function stream(url: string, input: object): Promise<Heard> {
  const { id } = await post(`${url}/run`, { input: { ...input, stream: true } });
  let firstAtMs = Number.NaN;
  let firstSeconds = 0;
  let seconds = 0;
  for (;;) {
    const answer = await (await fetch(`${url}/stream/${String(id)}`)).json();
    const { status, stream: items } = answer as { status: string; stream: readonly { output: StreamItem }[] };
    for (const { output } of items) {
      if (output.type !== "audio") continue;
      const itemSeconds = output.samples / output.sample_rate;
      if (seconds === 0) {
        firstAtMs = performance.now();
        firstSeconds = itemSeconds;
      }
      seconds += itemSeconds;
    }
    if (status === "FAILED") throw new Error(`The job failed: ${JSON.stringify(answer)}`);
    if (status === "COMPLETED" && items.length === 0) break;
    if (items.some(({ output }) => output.type === "final")) break;
  }
  return { firstAtMs, firstSeconds, seconds };
}

interface StreamItem {
  readonly type: string;
  readonly samples: number;
  readonly sample_rate: number;
}

async function runWhole(url: string, input: object): Promise<null> {
  const { status } = await post(`${url}/runsync`, { input });
  if (status !== "COMPLETED") throw new Error(`The job ended as ${String(status)}`);
  return null;
}

async function post(url: string, body: object): Promise<{ readonly id: unknown; readonly status: unknown }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return (await response.json()) as { id: unknown; status: unknown };
}

/** Of the server, its engine and their threads. */
function processorTicks({ process: { pid = 0 } }: DemoServer): number {
  return processTree(pid).reduce((ticks, each) => {
    const stat = readFileSync(`/proc/${each}/stat`, "utf8");
    // Behind the name, which may have blanks: state, parent … utime and stime are the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return ticks + Number(fields[11]) + Number(fields[12]);
  }, 0);
}

function ratios(over: readonly number[], under: readonly number[]): number[] {
  return over.map((value, index) => value / (under[index] ?? Number.NaN));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): string {
  return (sum(values) / values.length).toFixed(0);
}

function show(values: readonly number[]): string {
  return median(values).toFixed(0);
}
