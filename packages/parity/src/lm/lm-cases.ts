import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Backend } from "@higgs-worker/ggml";
import * as v from "valibot";
import {
  CheckpointWeightSource,
  concatenateSamples,
  LanguageModel,
  loadTextTokenizer,
  openWeights,
  type PromptRows,
  StageTrace,
  type WeightSource,
} from "@higgs-worker/higgs-audio/parts";
import { largestDifference, smallestCosine } from "../frame/compare.ts";
import { configurationName } from "../frame/compute.ts";
import { casesOfFile, checkpointsOf, readGoldenJson } from "../frame/files.ts";
import { compareLogits } from "./logits.ts";
import { failed, offBy, passed } from "../frame/outcome.ts";
import { GoldenTensors } from "../frame/tensors.ts";
import type { GoldenCase, GoldenCollector, GoldenOutcome, LmConfiguration } from "../frame/types.ts";

/** The tiny checkpoints, the same weights in both layouts. */
export const CHECKPOINTS = ["lm-native", "lm-boson"];

/** Room behind the prompt for what is generated from it. */
const MIN_NEW_COLUMNS = 256;

const LM_CASE = v.object({
  name: v.string(),
  ids: v.array(v.number()),
  rows: v.number(),
  clips: v.array(v.object({ kind: v.picklist(["in", "out"]) })),
  columns: v.array(v.array(v.array(v.number()))),
  audio_runs: v.array(v.tuple([v.number(), v.number()])),
  forced_columns: v.array(v.array(v.number())),
});
export type LmCase = v.InferOutput<typeof LM_CASE>;

export async function readLmCases(directory: string): Promise<LmCase[]> {
  const raw = await readGoldenJson(directory, "lm/cases.json");
  return v.parse(v.object({ cases: v.array(LM_CASE) }), raw).cases;
}

/**
 * The generation model in both layouts: hidden states layer by layer, stopping at the first that is off, then the logits
 * after each forced column, fed one by one through the decode graph.
 */
export const collectLmCases: GoldenCollector = async function* collectLm(directory, { compute }) {
  yield* casesOfFile("lm", "lm/cases.json", async () => {
    const cases = await readLmCases(directory);
    return (await checkpointsOf(directory, CHECKPOINTS)).flatMap((checkpoint) =>
      compute.languageModels.flatMap((configuration) =>
        cases.map((lmCase): GoldenCase => ({
          group: "lm",
          name: `${checkpoint}/${lmCase.name} (${configurationName(configuration)})`,
          run: () => withModel({ directory, checkpoint, backend: compute.backend, configuration }, lmCase, compareCase),
        })),
      ),
    );
  });
};

/** Everything that one comparison needs. */
export interface LmRun {
  readonly directory: string;
  readonly model: LanguageModel;
  readonly lmCase: LmCase;
  readonly prompt: PromptRows;
  readonly configuration: LmConfiguration;
  /** Rows of prompts and steps, stage by stage. */
  readonly trace: StageTrace;
  /** A tensor in f32, null where the checkpoint has none: for norms and logits of prompt rows, which the model never computes. */
  readonly readF32: (name: string) => Promise<Float32Array | null>;
}

/** Which model a case runs on. */
export interface LmSetting {
  readonly directory: string;
  /** Folder below `tiny`. */
  readonly checkpoint: string;
  readonly backend: Backend;
  readonly configuration: LmConfiguration;
}

/** Loads a checkpoint with room for the case, runs, and frees everything. */
export async function withModel(
  { directory, checkpoint, backend, configuration }: LmSetting,
  lmCase: LmCase,
  run: (lmRun: LmRun) => Promise<GoldenOutcome>,
): Promise<GoldenOutcome> {
  const modelPath = path.join(directory, "tiny", checkpoint);
  const { weights, kvTypes } = configuration;
  await using stored = await CheckpointWeightSource.open(modelPath);
  await using folder = await temporaryFolder();
  await using source = await openSource(backend, modelPath, weights, folder.path);
  const trace = new StageTrace();
  using model = await LanguageModel.load(backend, source, {
    observer: trace,
    precision: weights === "f32" ? "f32" : "stored",
    kvTypes,
    contextLength: lmCase.rows + Math.max(lmCase.forced_columns[0]?.length ?? 0, MIN_NEW_COLUMNS),
    slots: 1,
  });
  const { specialIds } = await loadTextTokenizer(modelPath);
  const prompt = promptOf(lmCase, [specialIds.audioOut, specialIds.audioIn]);
  const readF32 = (name: string) => stored.readOptional(name);
  return await run({ directory, model, lmCase, prompt, configuration, trace, readF32 });
}

/** The weights as they are served: converted by the converter, as stored or to be widened from the checkpoint. */
async function openSource(
  backend: Backend,
  modelPath: string,
  weights: LmConfiguration["weights"],
  cacheDir: string,
): Promise<WeightSource> {
  return (await openWeights(backend, { modelPath, weights: weights === "f32" ? "bf16" : weights, cacheDir })).source;
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), "higgs-golden-weights-"));
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

function promptOf(lmCase: LmCase, placeholderIds: readonly number[]): PromptRows {
  const isAudio = new Uint8Array(lmCase.rows);
  for (const [first, length] of lmCase.audio_runs) isAudio.fill(1, first, first + length);
  const textIds = lmCase.ids.filter((id) => !placeholderIds.includes(id));
  return { isAudio, textIds: Int32Array.from(textIds), columnIds: Int32Array.from(lmCase.columns.flatMap(transpose)) };
}

/** [codebook][column] as one list, column by column. */
function transpose(rows: readonly (readonly number[])[]): number[] {
  return (rows[0] ?? []).flatMap((_, column) => rows.map((row) => row[column] ?? Number.NaN));
}

async function compareCase(run: LmRun): Promise<GoldenOutcome> {
  await using expected = await GoldenTensors.open(run.directory, `lm/${run.lmCase.name}.safetensors`);
  const hidden = await compareHidden(run, expected);
  if (hidden.outcome.status === "failed") return hidden.outcome;
  const promptLogits = await comparePromptLogits(run, expected, hidden.norm);
  if (promptLogits.status === "failed") return promptLogits;
  const forced = await compareForced(run, expected);
  if (forced.status === "failed") return forced;
  const worst = [promptLogits, forced].reduce((a, b) => (b.largestError > a.largestError ? b : a));
  return passed(`${hidden.outcome.detail}; ${worst.detail}`, Math.max(hidden.outcome.largestError, worst.largestError));
}

async function compareHidden(
  run: LmRun,
  expected: GoldenTensors,
): Promise<{ outcome: GoldenOutcome; norm: Float32Array }> {
  const { model, trace } = run;
  await model.prefill(0, run.prompt);
  const layers = Array.from({ length: model.config.numHiddenLayers }, (_, il) => `layer.${il}`);
  const stages = ["embeddings", ...layers].map((name): [string, Float32Array] => [
    name,
    concatenateSamples(trace.rows(name)),
  ]);
  const norm = await normalize(run, stages.at(-1)?.[1] ?? new Float32Array(0));
  stages.push(["norm", norm]);
  const rows = await expected.int32("rows");
  let worst = 0;
  for (const [name, values] of stages) {
    const wanted = await expected.float32(name);
    const compared = compareHiddenStates(name, wanted, pickRows(values, rows, model.config.hiddenSize), run);
    worst = Math.max(worst, compared.largestError);
    if (compared.status === "failed") return { outcome: compared, norm };
  }
  return { outcome: passed(`${stages.length} stages × ${rows.length} rows`, worst), norm };
}

/** RMS norm of the last layer's rows, on the host: prompts are read without it. */
async function normalize({ model, readF32 }: LmRun, values: Float32Array): Promise<Float32Array> {
  const { hiddenSize, rmsNormEps } = model.config;
  const weight = await readF32("output_norm.weight");
  const normed = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += hiddenSize) {
    const row = values.subarray(start, start + hiddenSize);
    const scale = 1 / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / hiddenSize + rmsNormEps);
    for (const [at, value] of row.entries()) normed[start + at] = value * scale * (weight?.[at] ?? Number.NaN);
  }
  return normed;
}

/** Logits of prompt rows, as head · norm on the host: audio rows through the audio head, the last two through the text head. */
async function comparePromptLogits(run: LmRun, expected: GoldenTensors, norm: Float32Array): Promise<GoldenOutcome> {
  const { hiddenSize } = run.model.config;
  const textHead = await run.readF32("output.weight");
  let worst = 0;
  if (textHead !== null && expected.has("text_logits")) {
    const lastRows = [run.lmCase.rows - 2, run.lmCase.rows - 1];
    const actual = lastRows.flatMap((row) => [
      ...project(textHead, norm.subarray(row * hiddenSize, (row + 1) * hiddenSize)),
    ]);
    worst = largestDifference(await expected.float32("text_logits"), actual).largestError;
    const { logitTolerance } = run.configuration;
    if (!(worst <= logitTolerance)) return offBy("text_logits", worst, logitTolerance);
  }
  if (!expected.has("audio_positions")) return passed("text logits", worst);
  const audioHead = await run.readF32("audio_output.weight");
  const positions = await expected.int32("audio_positions");
  if (audioHead === null) throw new Error("audio_output.weight is missing");
  const logits = Array.from(positions, (row) =>
    project(audioHead, norm.subarray(row * hiddenSize, (row + 1) * hiddenSize)),
  );
  const audio = await compareLogits(run, expected, "audio_logits", logits);
  return audio.status === "failed" ? audio : passed(audio.detail, Math.max(worst, audio.largestError));
}

/** Values [rows, hiddenSize] against the expected ones: every value by itself, and every row's direction. */
function compareHiddenStates(
  name: string,
  wanted: Float32Array,
  actual: Float32Array,
  { configuration, model }: LmRun,
): GoldenOutcome {
  const { hiddenTolerance, relativeHiddenTolerance, minCosine } = configuration;
  const limit = hiddenTolerance + relativeHiddenTolerance * peak(wanted);
  const { largestError } = largestDifference(wanted, actual);
  if (!(largestError <= limit)) return offBy(name, largestError, limit);
  const cosine = smallestCosine(wanted, actual, model.config.hiddenSize);
  if (cosine < minCosine) return failed(`${name}: cosine ${cosine} (limit ${minCosine})`, largestError);
  return passed(name, largestError);
}

async function compareForced(run: LmRun, expected: GoldenTensors): Promise<GoldenOutcome> {
  const { model, lmCase, prompt } = run;
  await model.prefill(0, prompt);
  const { numCodebooks } = model.config;
  const columns = Int32Array.from(transpose(lmCase.forced_columns));
  const count = columns.length / numCodebooks;
  const graph = model.decodeGraph(lmCase.rows + count);
  const logits: Float32Array[] = [];
  for (let column = 0; column < count; column++) {
    graph.setSlot(0, columns.subarray(column * numCodebooks, (column + 1) * numCodebooks), lmCase.rows + column);
    const next = new Float32Array(model.logitsLength);
    await graph.compute(next);
    logits.push(next);
  }
  const wanted = await expected.float32("forced_norm_last");
  const norm = compareHiddenStates("forced_norm_last", wanted, run.trace.last("norm"), run);
  return norm.status === "failed" ? norm : await compareLogits(run, expected, "forced_logits", logits);
}

function peak(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

function pickRows(values: Float32Array, rows: Int32Array, width: number): Float32Array {
  return concatenateSamples(Array.from(rows, (row) => values.subarray(row * width, (row + 1) * width)));
}

/** head [outputs, width] · x [width] */
function project(head: Float32Array, x: Float32Array): Float32Array {
  return Float32Array.from({ length: head.length / x.length }, (_, output) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += (head[output * x.length + i] ?? 0) * (x[i] ?? 0);
    return sum;
  });
}
