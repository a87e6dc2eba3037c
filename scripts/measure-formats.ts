/**
 * What encoding costs: processor time and bytes for a second of speech, in parts as they come from the model, for each format. `npm run
 * measure:formats`; `-- --save` keeps it for docs/BENCHMARKS.md. A format that costs more than its limit (Opus 0.03 s, others 0.01 s, without resampling) is named and fails.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AUDIO_FORMATS, decodeAndResample, encoderFor, openOutputStream } from "@higgs-worker/audio";
import { createBenchReport } from "../apps/worker/src/bench/create-report.ts";
import type { BenchRow } from "../apps/worker/src/bench/report.ts";

const RATE_HZ = 24_000;
const PART_SAMPLES = RATE_HZ / 5;
const RUNS = 3;
const LIMITS: Readonly<Record<string, number>> = { opus: 0.03 };
const LIMIT = 0.01;

const voices = join(import.meta.dirname, "..", "demo-checkpoint", "voices");
const clips = readdirSync(voices).filter((name) => name.endsWith(".wav"));
const speech = await Promise.all(
  clips.map(async (name) => (await decodeAndResample(readFileSync(join(voices, name)), RATE_HZ)).resampled),
);
const seconds = speech.reduce((sum, { length }) => sum + length, 0) / RATE_HZ;

/** The least of some runs: other work on the machine only adds. */
async function measure(format: (typeof AUDIO_FORMATS)[number], inputRateHz: number) {
  let bytes = 0;
  let least = Infinity;
  for (let run = 0; run < RUNS; run++) {
    bytes = 0;
    const before = process.cpuUsage();
    const stream = await openOutputStream({ format, purpose: "live", inputRateHz, sampleRateHz: null });
    for (const pcm of speech) {
      for (let start = 0; start < pcm.length; start += PART_SAMPLES) {
        bytes += (await stream.write(pcm.subarray(start, start + PART_SAMPLES))).length;
      }
    }
    bytes += (await stream.end()).tail.length;
    const { user, system } = process.cpuUsage(before);
    // At another rate the same samples are another time.
    least = Math.min(least, ((user + system) / 1e6 / seconds) * (inputRateHz / RATE_HZ));
  }
  return { least, kilobits: ((bytes * 8) / 1000 / seconds) * (inputRateHz / RATE_HZ) };
}

console.log(
  `${seconds.toFixed(1)} s of speech, ${clips.length} voices, parts of ${PART_SAMPLES / RATE_HZ} s, Node ${process.version}`,
);
const rows: BenchRow[] = [];
console.log("format  s of processor time a second  kbit/s");
for (const format of AUDIO_FORMATS) {
  const [least = RATE_HZ] = encoderFor(format).sampleRatesHz;
  const { least: cost, kilobits } = await measure(
    format,
    encoderFor(format).sampleRatesHz.includes(RATE_HZ) ? RATE_HZ : least,
  );
  const limit = LIMITS[format] ?? LIMIT;
  const verdict = cost <= limit ? "" : `  above the limit of ${limit}`;
  console.log(`${format.padEnd(6)}  ${cost.toFixed(4).padStart(28)}  ${kilobits.toFixed(0).padStart(6)}${verdict}`);
  rows.push({
    name: format,
    unit: "s of processor time a second of audio",
    value: cost,
    note: `${kilobits.toFixed(0)} kbit/s`,
  });
  if (cost > limit) process.exitCode = 1;
}
if (process.argv.includes("--save")) {
  const root = join(import.meta.dirname, "..");
  const report = await createBenchReport({ title: "Encoding speech", rows, device: "cpu", directory: root });
  writeFileSync(join(root, "bench", "results", "encoding.json"), `${JSON.stringify(report, null, 2)}\n`);
}
