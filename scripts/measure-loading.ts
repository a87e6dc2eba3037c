/**
 * Measures how long a start takes from the process to the loaded model with converted weights of the released size, made of random
 * numbers in .cache/loading (7 GB). Compares this checkout with others that are built, in alternating runs, and with a plain
 * read of the same file. The page cache is warm. `npm run measure:loading -- [--runs N] [--format q4_k] [OTHER_CHECKOUT...]`
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, openSync, readSync, closeSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { loadGgml } from "../packages/ggml/src/index.ts";
import { planConversion } from "../packages/higgs-audio/src/checkpoint/convert/conversion-plan.ts";
import { convertedPath } from "../packages/higgs-audio/src/checkpoint/convert/convert-checkpoint.ts";
import { openCheckpoint } from "../packages/higgs-audio/src/checkpoint/open-checkpoint.ts";
import {
  RELEASED_CODEC_CONFIG,
  RELEASED_HIGGS_CONFIG,
} from "../packages/higgs-audio/src/checkpoint/released-config.ts";
import {
  listCodecManifest,
  listLmManifest,
} from "../packages/higgs-audio/src/checkpoint/testing/released-manifests.ts";
import {
  writeShards,
  writeSparseSafetensors,
} from "../packages/higgs-audio/src/checkpoint/testing/safetensors-writer.ts";
import { encodeHiggsConfig, makeBytes } from "../packages/higgs-audio/src/checkpoint/testing/test-checkpoint.ts";
import { writeCodec } from "../packages/higgs-audio/src/checkpoint/testing/test-codec.ts";
import { RandomWeightSource } from "../packages/higgs-audio/src/model/random-weight-source.ts";
import { llama3TokenizerJson } from "../packages/higgs-audio/src/tokenizer/testing/llama3-tokenizer.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, ".cache", "loading");
const [model, codec, cache] = ["model", "codec", "cache"].map((name) => join(folder, name)) as [string, string, string];
const START_TIMEOUT_MS = 180_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "5" }, format: { type: "string", default: "q8_0" } },
});
const runs = Number(options.runs);
const FORMAT = options.format === "q4_k" ? "q4_k" : "q8_0";
const others = positionals.map((path) => resolve(path));

/** Headers of the released shapes (the shards' data is never read), a codec, a tokenizer, and the converted weights. */
async function makeModel(): Promise<string> {
  if (!existsSync(join(model, "tokenizer.json"))) {
    mkdirSync(model, { recursive: true });
    const config = encodeHiggsConfig(RELEASED_HIGGS_CONFIG, "boson");
    writeFileSync(join(model, "config.json"), JSON.stringify(config));
    const tensors = [...listLmManifest(RELEASED_HIGGS_CONFIG, "boson")].map(([name, shape]) => ({
      name,
      dtype: "BF16",
      shape,
    }));
    writeShards(model, [tensors], writeSparseSafetensors);
    const codecTensors = [...listCodecManifest(RELEASED_CODEC_CONFIG)].map(([name, shape]) => ({
      name,
      dtype: "F32",
      shape,
      data: makeBytes(name, shape, "F32"),
    }));
    writeCodec(codec, RELEASED_CODEC_CONFIG, codecTensors);
    writeFileSync(join(model, "tokenizer.json"), JSON.stringify(llama3TokenizerJson()));
  }
  await using checkpoint = await openCheckpoint(model);
  const path = convertedPath(checkpoint, FORMAT, cache);
  if (existsSync(path)) return path;
  mkdirSync(cache, { recursive: true });
  const ggml = loadGgml();
  const plan = planConversion(ggml, checkpoint, FORMAT);
  await using source = new RandomWeightSource(ggml, RELEASED_HIGGS_CONFIG, FORMAT);
  await using file = await open(`${path}.new`, "w");
  await file.write(plan.header, 0, plan.header.length, 0);
  for (const { tensor, type, position } of plan.tensors) {
    for await (const { bytes, byteOffset } of source.stream(tensor.name, type)) {
      await file.write(bytes, 0, bytes.length, position + byteOffset);
    }
  }
  await file.truncate(plan.fileBytes);
  await rename(`${path}.new`, path);
  return path;
}

/** Seconds of wall and processor time. */
interface Times {
  readonly wall: number;
  readonly processor: number;
}

/** A plain sequential read of a file into one buffer. */
function readPlainly(path: string): Times {
  const buffer = Buffer.alloc(16 * 1024 * 1024);
  const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
  const fd = openSync(path, "r");
  while (readSync(fd, buffer, 0, buffer.length, null) > 0);
  closeSync(fd);
  const { user, system } = process.cpuUsage(startCpu);
  return { wall: (performance.now() - startMs) / 1000, processor: (user + system) / 1e6 };
}

/** From the start of `higgs serve` to the log line of the loaded model, with the processor time of it and its engine. */
async function start(checkout: string): Promise<Times> {
  const startMs = performance.now();
  // The log goes to either stream.
  const command = ["-c", 'exec "$0" "$@" 2>&1', process.execPath, join(checkout, "apps/worker/bin/higgs.js")];
  const child = spawn("/bin/sh", [...command, "serve", "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      HIGGS_MODEL_PATH: model,
      HIGGS_TOKENIZER_PATH: codec,
      HIGGS_CACHE_DIR: cache,
      HIGGS_WEIGHTS: FORMAT,
      HIGGS_DEVICE: "cpu",
      HIGGS_LOG_LEVEL: "info",
    },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
  let enginePid: number | undefined;
  let log = "";
  for await (const line of createInterface({ input: child.stdout })) {
    log += `${line}\n`;
    if (!line.includes("the model is loaded")) continue;
    enginePid = Number(/enginePid\D+(\d+)/.exec(line)?.[1]);
    break;
  }
  const wall = (performance.now() - startMs) / 1000;
  if (enginePid === undefined) throw new Error(`Cannot measure ${checkout}: it ended with\n${log}`);
  const processor = processorSeconds(child.pid ?? 0) + processorSeconds(enginePid);
  const ended = new Promise((done) => child.once("exit", done));
  clearTimeout(timer);
  // Not asked to end: it is warming up, which takes long with such a model.
  process.kill(enginePid, "SIGKILL");
  child.kill("SIGKILL");
  await ended;
  return { wall, processor };
}

function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (process.platform !== "linux") {
  console.log("SKIPPED: processor times are read from /proc, which only Linux has");
  process.exit(0);
}
const path = await makeModel();
const bytes = statSync(path).size;
console.log(
  `${basename(path)}: ${(bytes / 1e9).toFixed(2)} GB; ${createHash("sha256").update(path).digest("hex").slice(0, 8)}`,
);
readPlainly(path);
const checkouts = [root, ...others];
const times = new Map(checkouts.map((checkout) => [checkout, [] as Times[]]));
const plain: Times[] = [];
for (let run = 0; run < runs; run++) {
  plain.push(readPlainly(path));
  for (const checkout of run % 2 === 0 ? checkouts : checkouts.toReversed()) {
    const measured = await start(checkout);
    times.get(checkout)?.push(measured);
    console.log(
      `run ${run + 1}: ${measured.wall.toFixed(2)} s, processor ${measured.processor.toFixed(2)} s: ${checkout}`,
    );
  }
}
function report(name: string, measured: readonly Times[]): void {
  const [wall, processor] = [median(measured.map((time) => time.wall)), median(measured.map((time) => time.processor))];
  const all = measured.map((time) => time.wall.toFixed(2)).join(", ");
  console.log(
    `${name}: median ${wall.toFixed(2)} s (${all}), processor ${processor.toFixed(2)} s, ` +
      `${(bytes / wall / 1e9).toFixed(2)} GB/s of the file`,
  );
}
report("plain read of the converted weights", plain);
for (const [checkout, measured] of times) report(checkout, measured);
const [own = [], other = []] = [...times.values()];
const ratios = own.flatMap(({ wall }, run) => (other[run] === undefined ? [] : [wall / other[run].wall]));
if (ratios.length > 0) console.log(`paired ratio, this to the other: median ${median(ratios).toFixed(2)}`);
