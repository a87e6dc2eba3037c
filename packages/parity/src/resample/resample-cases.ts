import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeAndResample } from "@higgs-worker/audio";
import * as v from "valibot";
import { casesOfFile, readGoldenJson } from "../frame/files.ts";
import { failed, passed } from "../frame/outcome.ts";
import { GoldenTensors } from "../frame/tensors.ts";
import type { GoldenCase, GoldenOutcome } from "../frame/types.ts";

const GROUP = "resample";
const FILE = "resample/files.json";
const TENSORS = "resample/expected.safetensors";
const MODEL_RATE_HZ = 24_000;

/** Down-mixing is exact up to the rounding of a float32. */
const MONO_TOLERANCE = 1e-7;

/** Two resamplers of good quality differ close to the cut-off by up to 1 % of the RMS; short filters by up to 15 %. */
const RMS_SHARE_TOLERANCE = 0.02;

const Files = v.object({ files: v.array(v.object({ file: v.string(), rate: v.number(), channels: v.number() })) });

type GoldenFile = v.InferOutput<typeof Files>["files"][number];

/** Two cases per file: the samples after decoding and down-mixing, and those at 24 kHz against soxr HQ. */
export async function* collectResampleCases(directory: string): AsyncIterable<GoldenCase> {
  yield* casesOfFile(GROUP, FILE, async () => {
    const { files } = v.parse(Files, await readGoldenJson(directory, FILE));
    return files.flatMap((file) => [
      { group: GROUP, name: `${file.file}.mono`, run: () => compareMono(directory, file) },
      { group: GROUP, name: `${file.file}.24k`, run: () => compareResampled(directory, file) },
    ]);
  });
}

async function compareMono(directory: string, file: GoldenFile): Promise<GoldenOutcome> {
  const { audio, expected } = await load(directory, file, "mono");
  if (audio.sampleRateHz !== file.rate || audio.channels !== file.channels) {
    return failed(
      `${audio.sampleRateHz} Hz and ${audio.channels} channels, expected ${file.rate} and ${file.channels}`,
    );
  }
  if (audio.samples.length !== expected.length) {
    return failed(`${audio.samples.length} samples, expected ${expected.length}`);
  }
  let largestError = 0;
  expected.forEach((sample, i) => (largestError = Math.max(largestError, Math.abs((audio.samples[i] ?? 0) - sample))));
  if (largestError > MONO_TOLERANCE) return failed("the down-mixed samples differ", largestError);
  return passed(`${expected.length} samples at ${file.rate} Hz`, largestError);
}

async function compareResampled(directory: string, file: GoldenFile): Promise<GoldenOutcome> {
  const { resampled, expected } = await load(directory, file, "24k");
  if (resampled.length !== expected.length) {
    return failed(`${resampled.length} samples, expected ${expected.length}`);
  }
  let error = 0;
  let energy = 0;
  expected.forEach((sample, i) => {
    error += ((resampled[i] ?? 0) - sample) ** 2;
    energy += sample * sample;
  });
  const share = Math.sqrt(error / energy);
  // False for NaN too.
  if (!(share <= RMS_SHARE_TOLERANCE)) {
    return failed(`the RMS of the difference is ${(share * 100).toFixed(2)} % of the RMS`, share);
  }
  return passed(`${expected.length} samples; error is RMS against RMS`, share);
}

async function load(directory: string, { file }: GoldenFile, kind: "mono" | "24k") {
  await using tensors = await GoldenTensors.open(directory, TENSORS);
  const expected = await tensors.float32(`${file.replace(/\.wav$/, "")}.${kind}`);
  const bytes = await readFile(join(directory, "resample", file));
  return { expected, ...(await decodeAndResample(bytes, MODEL_RATE_HZ)) };
}
