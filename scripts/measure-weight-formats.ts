/**
 * How much a format of the weights changes what the model says: `npm run measure:weight-formats -- [--model DIR] [--sentences 24] [--save]`. The
 * model as stored speaks sentences, and each format is fed the same columns. Of its logits: the Kullback-Leibler divergence from those
 * of the model as stored, mean and 99th percentile of all codes, and how often both have the same largest one. And the processor time
 * of products with 14 matrices of 3072 × 8192 (200 MB in 4.5 bits), where a CPU keeps them in the order of its fastest products.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { TensorType } from "@higgs-worker/ggml";
import { openDevice } from "@higgs-worker/higgs-audio/parts";
import { createBenchReport } from "../apps/worker/src/bench/create-report.ts";
import { benchRowsText, type BenchRow } from "../apps/worker/src/bench/report.ts";
import { divergence, largestIndex } from "./weight-formats/divergence.ts";
import { forcedLogits, loadFrom, type Spoken, speakSentences } from "./weight-formats/forced-logits.ts";
import { productMs } from "./weight-formats/products.ts";
import { RoundedSource } from "./weight-formats/rounded-source.ts";

const FORMATS = ["q8_0", "q6_k", "q5_k", "q4_k", "iq4_nl", "q4_0", "mxfp4"] as const;
/** Rows of the demo checkpoint are whole blocks of these, so that their products can be tried as they are served. */
const BLOCKS_OF_32: ReadonlySet<TensorType> = new Set(["q8_0", "iq4_nl", "q4_0", "mxfp4"]);
const ROW_COUNTS = [1, 8, 128];

const { values: options } = parseArgs({
  options: {
    model: { type: "string", default: join(import.meta.dirname, "..", "demo-checkpoint", "checkpoint") },
    sentences: { type: "string", default: "24" },
    save: { type: "boolean", default: false },
  },
});
using backend = openDevice({ device: "cpu", threads: 1 });

async function logitsOf(format: TensorType | null, isNative: boolean, spoken: readonly Spoken[]) {
  await using source = await RoundedSource.open(options.model, backend, format, isNative);
  using model = await loadFrom(backend, source, isNative ? "stored" : "f32");
  const all: Float32Array[] = [];
  for (const each of spoken) for await (const codes of forcedLogits(model, each)) all.push(...codes);
  return all;
}

async function speak(): Promise<Spoken[]> {
  await using source = await RoundedSource.open(options.model, backend, null);
  using model = await loadFrom(backend, source, "f32");
  return await speakSentences(model, options.model, Number(options.sentences));
}

const spoken = await speak();
const expected = await logitsOf(null, false, spoken);
const rows: BenchRow[] = [];
function report(row: BenchRow): void {
  rows.push(row);
  console.log(benchRowsText([row]));
}

for (const format of FORMATS) {
  for (const isNative of BLOCKS_OF_32.has(format) ? [false, true] : [false]) {
    const actual = await logitsOf(format, isNative, spoken);
    const distances = actual.map((logits, index) => divergence(expected[index] ?? logits, logits));
    const same = actual.filter((logits, index) => largestIndex(logits) === largestIndex(expected[index] ?? logits));
    const mean = distances.reduce((sum, value) => sum + value, 0) / distances.length;
    const high = distances.toSorted((a, b) => a - b)[Math.floor(distances.length * 0.99)] ?? Number.NaN;
    report({
      name: `divergence, ${format}${isNative ? ", products as served" : ""}`,
      unit: "nats a code",
      value: mean,
      note: `99th percentile ${high.toPrecision(3)}; the largest logit is the same in ${((100 * same.length) / actual.length).toFixed(2)} % of ${actual.length} codes`,
    });
  }
  for (const count of ROW_COUNTS) {
    const { ms, isRepacked } = await productMs(backend, format, count);
    const how = isRepacked ? "repacked" : "plain memory";
    report({ name: `products with ${count} rows, ${format}`, unit: "ms", value: ms, note: how });
  }
}
if (options.save) {
  const root = join(import.meta.dirname, "..");
  const title = "Formats of the weights: divergence on the demo checkpoint, processor time of products";
  const result = await createBenchReport({ title, rows, device: "cpu", directory: root });
  writeFileSync(join(root, "bench", "results", "weight-formats.json"), `${JSON.stringify(result, null, 2)}\n`);
}
