/**
 * Runs one long job with delivery to S3 and shows that the memory of worker and engine stays flat: a line for each stretch of
 * audio, the verdict, and a last line of JSON. Fails when either grows by more than the limit after the first sixth.
 *
 *   npm run measure:long-job                     an hour at the job layer, with a model that hums
 *   npm run measure:long-job -- --demo [SECONDS] the demo checkpoint in an engine process, for at least so long (3600)
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { toHiggsError } from "@higgs-worker/base";
import { loadConfig } from "../apps/worker/src/config/load.ts";
import { parseJob } from "../apps/worker/src/job/parse-input.ts";
import { runSpeechJob } from "../apps/worker/src/job/run-speech-job.ts";
import { silentLogger } from "../apps/worker/src/logging/logger.ts";
import { startSpeechEngine, type ServingModel } from "../apps/worker/src/model/load-model.ts";
import { findModel } from "../apps/worker/src/model/locations.ts";
import { longModel } from "../apps/worker/src/testing/long-model.ts";
import type { SinkCounts } from "./long-job/sink.ts";

/** Growth that counts as flat: two parts, and what the garbage collectors have not taken yet. */
const LIMIT_MB = 96;
const MB = 1_000_000;
const HOUR_SECONDS = 3_600;
const ROWS = 12;
/** Words of the demo checkpoint, and the least that they last. */
const SENTENCE = "The sun is warm and the sky is blue. ";
const SENTENCE_SECONDS = 2;
/** A sentence a chunk, of which the next sees the one before. */
const CHUNKS = {
  chunk_method: "word",
  chunk_max_word_num: 8,
  generation_chunk_buffer_size: 1,
  max_new_tokens: 150,
  allow_truncated: true,
};

const [mode = "", wanted] = process.argv.slice(2);
const isDemo = mode === "--demo";
const seconds = wanted === undefined ? HOUR_SECONDS : Number(wanted);

interface Sample {
  readonly audioSeconds: number;
  readonly workerMb: number;
  readonly engineMb: number | null;
  readonly uploadedMb: number;
  readonly parts: number;
}

const sink = fork(join(import.meta.dirname, "long-job", "sink.ts"), { execArgv: process.execArgv });
const [port] = (await once(sink, "message")) as [number];
const env = {
  AWS_ACCESS_KEY_ID: "a",
  AWS_SECRET_ACCESS_KEY: "s",
  AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
  S3_BUCKET: "audio",
  HIGGS_DEVICE: "cpu",
  HIGGS_MAX_TRANSCRIPT_CHARS: "1000000",
};
const { config } = loadConfig(env);
const model: ServingModel = isDemo
  ? await startSpeechEngine(findModel(config, { allowDemo: true }), config, { logger: silentLogger })
  : longModel({ seconds, afterPart: () => sleep(5) });

const samples: Sample[] = [];
let uploaded = { bytes: 0, parts: 0 };
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
const startMs = performance.now();
const job = parseJob({ id: "long", input: { transcript: transcript(), ...CHUNKS, seed: 1 } }, config);
const failure = await runSpeechJob(
  job,
  { config, logger: silentLogger, model: async () => model },
  {
    signal: stop.signal,
    onUpload: (progress) => void (uploaded = progress),
    onProgress: ({ audioSeconds }) => note(audioSeconds),
  },
).then(
  ({ output }) => {
    note(output.duration_seconds, true);
    return null;
  },
  (error: unknown) => error,
);
const counts = (await (await fetch(`http://127.0.0.1:${port}/counts`)).json()) as SinkCounts;
const wallSeconds = (performance.now() - startMs) / 1000;
await model[Symbol.asyncDispose]();
sink.disconnect();

const worker = growth((sample) => sample.workerMb);
const engine = isDemo ? growth((sample) => sample.engineMb ?? 0) : null;
const audioSeconds = samples.at(-1)?.audioSeconds ?? 0;
const isFlat = worker <= LIMIT_MB && (engine ?? 0) <= LIMIT_MB;
console.log(
  `${audioSeconds.toFixed(0)} s of audio in ${wallSeconds.toFixed(0)} s; the store has ${counts.bytes} bytes`,
);
console.log(
  `growth after the first sixth: worker ${worker.toFixed(0)} MB${engine === null ? "" : `, engine ${engine.toFixed(0)} MB`} (limit ${LIMIT_MB} MB)`,
);
console.log(
  JSON.stringify({ model: isDemo ? "demo" : "hum", audioSeconds, wallSeconds, ...counts, worker, engine, isFlat }),
);
if (failure !== null) console.log(`The job failed: ${toHiggsError(failure).toString()}`);
process.exit(failure === null && isFlat && counts.openUploads === 0 ? 0 : 1);

function transcript(): string {
  return SENTENCE.repeat(isDemo ? Math.ceil(seconds / SENTENCE_SECONDS) : 1);
}

/** A row for each twelfth of the audio. */
function note(atSeconds: number, isLast = false): void {
  const last = samples.at(-1)?.audioSeconds ?? Number.NEGATIVE_INFINITY;
  if (!isLast && atSeconds - last < seconds / ROWS) return;
  const sample: Sample = {
    audioSeconds: atSeconds,
    workerMb: process.memoryUsage.rss() / MB,
    engineMb: rssOf(model.pid ?? null),
    uploadedMb: uploaded.bytes / MB,
    parts: uploaded.parts,
  };
  if (samples.length === 0)
    console.log("| audio, min | worker, MB | engine, MB | uploaded, MB | parts |\n|---|---|---|---|---|");
  samples.push(sample);
  const { workerMb, engineMb, uploadedMb, parts } = sample;
  const cells = [
    (atSeconds / 60).toFixed(1),
    workerMb.toFixed(0),
    engineMb?.toFixed(0) ?? "–",
    uploadedMb.toFixed(0),
    parts,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

/** Of a process of Linux; null elsewhere. */
function rssOf(pid: number | null): number | null {
  if (pid === null) return null;
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return (pages * 4096) / MB;
}

function growth(pick: (sample: Sample) => number): number {
  const begun = samples.filter((sample) => sample.audioSeconds >= (samples.at(-1)?.audioSeconds ?? 0) / 6);
  const first = begun[0];
  if (first === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(...begun.map(pick)) - pick(first);
}
