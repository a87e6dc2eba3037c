import path from "node:path";
import * as v from "valibot";
import { CodecEncoder, openCodec } from "@higgs-worker/higgs-audio/parts";
import { CODEC_CHECKPOINTS } from "./decode-cases.ts";
import { largestDifference } from "../frame/compare.ts";
import { compareCodes, type EncodedCodes } from "./compare-codes.ts";
import { casesOfFile, checkpointsOf, readGoldenJson } from "../frame/files.ts";
import { NATIVE_ENCODE_RULES } from "../native/encode-rules.ts";
import { failed, passed } from "../frame/outcome.ts";
import { GoldenTensors } from "../frame/tensors.ts";
import type { GoldenCase, GoldenCollector, GoldenCompute, GoldenOutcome } from "../frame/types.ts";

const FILE = "codec/encode.json";
const CLIPS_FILE = "codec/clips.safetensors";
const STAGES_FILE = "codec/encode-stages.safetensors";
/** The clip of which every stage is kept. */
const STAGES_CLIP = "m0";
const CLIP_SCALE = 1 / 32_768;

const CODES = v.array(v.array(v.number()));
const CLIPS = v.object({
  clips: v.array(
    v.object({ name: v.string(), frames: v.number(), native_codes: v.nullable(CODES), boson_codes: v.nullable(CODES) }),
  ),
});
type Clip = v.InferOutput<typeof CLIPS>["clips"][number];

const RULES = ["native", "boson"] as const;
type RulesName = (typeof RULES)[number];
const TENSOR_FILES = { native: "codec/encode.safetensors", boson: "codec/encode-boson.safetensors" } as const;

/** Tensors `clip.NAME` of the golden files and the encoder's stages; `hubert_even` comes from `hubert.mean`. */
const FEATURES: Readonly<Record<RulesName, readonly (readonly [string, string])[]>> = {
  native: [
    ["resampled", "resampled"],
    ["hubert_even", "hubert.mean"],
    ["semantic", "semantic"],
    ["native_acoustic", "acoustic"],
    ["native_fc", "fc"],
  ],
  boson: [
    ["boson_acoustic", "acoustic"],
    ["boson_fc", "fc"],
  ],
};

/** The codec's encoder in both layouts under both rules: features, codes, margins; and one clip stage by stage. */
export const collectEncodeCases: GoldenCollector = async function* collectEncode(directory, { compute }) {
  yield* casesOfFile("codec", FILE, async () => {
    const { clips } = v.parse(CLIPS, await readGoldenJson(directory, FILE));
    return (await checkpointsOf(directory, CODEC_CHECKPOINTS)).flatMap((checkpoint): GoldenCase[] => {
      const withEncoder = (name: string, compare: Compare): GoldenCase => ({
        group: "codec",
        name: `${checkpoint}/encode ${name}`,
        run: () => runCase(path.join(directory, "tiny", checkpoint), compute, compare),
      });
      return [
        withEncoder("stages", (encoder) => compareStages(encoder, directory, compute)),
        ...clips.flatMap((clip) =>
          RULES.filter((rules) => clip[`${rules}_codes`] !== null).map((rules) =>
            withEncoder(`${clip.name} ${rules}`, (encoder) => compareClip(encoder, directory, clip, rules, compute)),
          ),
        ),
      ];
    });
  });
};

type Compare = (encoder: CodecEncoder) => Promise<GoldenOutcome>;

async function runCase(checkpoint: string, compute: GoldenCompute, compare: Compare): Promise<GoldenOutcome> {
  await using source = await openCodec(checkpoint);
  using encoder = await CodecEncoder.load(compute.backend, source);
  return await compare(encoder);
}

/** Stages in the order of computation; stops at the first that is off. */
async function compareStages(encoder: CodecEncoder, directory: string, compute: GoldenCompute): Promise<GoldenOutcome> {
  await using expected = await GoldenTensors.open(directory, STAGES_FILE);
  const { stages } = await encodeClip(encoder, directory, STAGES_CLIP, "native");
  const missing = expected.names.filter((name) => !stages.has(name));
  if (missing.length > 0) return failed(`stages without a counterpart: ${missing.join(", ")}`);
  const known = [...stages].filter(([name]) => expected.has(name));
  return await compareFeatures(expected, known, compute);
}

async function compareClip(
  encoder: CodecEncoder,
  directory: string,
  clip: Clip,
  rules: RulesName,
  compute: GoldenCompute,
): Promise<GoldenOutcome> {
  await using expected = await GoldenTensors.open(directory, TENSOR_FILES[rules]);
  const { stages, result } = await encodeClip(encoder, directory, clip.name, rules);
  const features = FEATURES[rules].flatMap(([suffix, stage]): [string, Float32Array][] => {
    const name = `${clip.name}.${suffix}`;
    const values = stages.get(stage);
    if (!expected.has(name) || values === undefined) return [];
    return [[name, suffix === "hubert_even" ? evenRows(values, expected.shape(name)[1] ?? 1) : values]];
  });
  const outcome = await compareFeatures(expected, features, compute);
  if (outcome.status === "failed") return outcome;
  const margins = `${clip.name}.${rules}_margin`;
  const norms = `${clip.name}.${rules}_residual_norm`;
  const compared = compareCodes(result, {
    codes: clip[`${rules}_codes`] ?? [],
    margins: expected.has(margins) ? await expected.float32(margins) : null,
    isOwnMarginTrusted: !compute.isExact,
    norms: expected.has(norms)
      ? { expected: await expected.float32(norms), actual: residualNorms(stages, clip.frames) }
      : null,
    tolerance: compute.codecTolerance,
  });
  if (compared.status === "failed" || features.length === 0) return compared;
  const detail = `${features.length} features, ${compared.detail}`;
  return passed(detail, Math.max(outcome.largestError, compared.largestError));
}

/** Rows 0, 2, 4 … of [rows, width]. */
function evenRows(values: Float32Array, width: number): Float32Array {
  return values.filter((_, index) => Math.floor(index / width) % 2 === 0);
}

/** ‖residual‖ of each frame before the first quantizer and after each, `[quantizer][frame]`. */
function residualNorms(stages: ReadonlyMap<string, Float32Array>, frames: number): Float32Array[] {
  const norms: Float32Array[] = [];
  for (let values = stages.get("rvq.residual.0"); values !== undefined;) {
    const [residual, width] = [values, values.length / frames];
    norms.push(
      Float32Array.from({ length: frames }, (_, frame) =>
        Math.hypot(...residual.subarray(frame * width, (frame + 1) * width)),
      ),
    );
    values = stages.get(`rvq.residual.${norms.length}`);
  }
  return norms;
}

async function compareFeatures(
  expected: GoldenTensors,
  features: readonly (readonly [string, Float32Array])[],
  compute: GoldenCompute,
): Promise<GoldenOutcome> {
  let worst = 0;
  for (const [name, actual] of features) {
    const wanted = await expected.float32(name);
    // Rounding grows with the size of the values, the reference's too.
    const limit = compute.codecTolerance * wanted.reduce((peak, value) => Math.max(peak, Math.abs(value)), 1);
    const { largestError, index } = largestDifference(wanted, actual);
    worst = Math.max(worst, largestError);
    if (!(largestError <= limit)) {
      const detail = `${name}: off by ${largestError.toExponential(1)} at ${index} (limit ${limit.toExponential(1)})`;
      return failed(detail, largestError);
    }
  }
  return passed(`${features.length} stages`, worst);
}

async function encodeClip(
  encoder: CodecEncoder,
  directory: string,
  clip: string,
  rules: RulesName,
): Promise<{ stages: Map<string, Float32Array>; result: EncodedCodes }> {
  await using clips = await GoldenTensors.open(directory, CLIPS_FILE);
  const pcm = Float32Array.from(await clips.int16(clip), (sample) => sample * CLIP_SCALE);
  const stages = new Map<string, Float32Array>();
  const listener = (stage: string, values: Float32Array): void => {
    stages.set(stage, values);
  };
  const codes = await encoder.encode(pcm, { rules: rules === "native" ? NATIVE_ENCODE_RULES : undefined, listener });
  const margins = codes.map((row, index) =>
    marginsOf(stages.get(`rvq.scores.${index}`) ?? new Float32Array(0), row.length),
  );
  return { stages, result: { codes, margins } };
}

/** How far the largest score of each frame is above the next, which is how far the squared distances are apart. */
function marginsOf(scores: Float32Array, frames: number): Float32Array {
  const size = scores.length / frames;
  return Float32Array.from({ length: frames }, (_, frame) => {
    const [best = Number.NaN, second = Number.NaN] = scores
      .subarray(frame * size, (frame + 1) * size)
      .toSorted()
      .reverse();
    return best - second;
  });
}
