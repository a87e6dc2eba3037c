import path from "node:path";
import {
  CodecDecoder,
  concatenateSamples,
  DecoderModel,
  openCodec,
  toTableRows,
} from "@higgs-worker/higgs-audio/parts";
import { StageRecorder } from "./stage-recorder.ts";
import { largestDifference } from "../frame/compare.ts";
import { casesOfFile, checkpointsOf } from "../frame/files.ts";
import { failed, passed } from "../frame/outcome.ts";
import { GoldenTensors } from "../frame/tensors.ts";
import type { GoldenCase, GoldenCollector, GoldenCompute, GoldenOutcome } from "../frame/types.ts";

/** The tiny checkpoints, the same weights in both layouts. */
export const CODEC_CHECKPOINTS = ["codec-native", "codec-boson"];

const DECODE_FILE = "codec/decode.safetensors";
const STAGES_FILE = "codec/decode-stages.safetensors";
const CODES_PREFIX = "codes.";

/** Small windows, so that the streamed decode has many seams; the pushes are of 1, 2, 3, 1, 2 … frames. */
const STREAM_WINDOWS = [24, 32];
const PUSH_FRAMES = [1, 2, 3];

/** The codec's decoder in both layouts: PCM of whole and streamed decodes, and one decode stage by stage. */
export const collectDecodeCases: GoldenCollector = async function* collectDecode(directory, { compute }) {
  yield* casesOfFile("codec", DECODE_FILE, async () => {
    await using expected = await GoldenTensors.open(directory, DECODE_FILE);
    const lengths = expected.names.filter((name) => name.startsWith(CODES_PREFIX));
    const cases = lengths.map((name) => name.slice(CODES_PREFIX.length)).sort((a, b) => Number(a) - Number(b));
    return (await checkpointsOf(directory, CODEC_CHECKPOINTS)).flatMap((checkpoint): GoldenCase[] => [
      goldenCase(`${checkpoint}/decode stages`, () => compareStages(directory, checkpoint, compute)),
      ...cases.flatMap((frames) => [
        goldenCase(`${checkpoint}/decode ${frames}`, () =>
          compareDecode(directory, checkpoint, frames, compute, whole),
        ),
        goldenCase(`${checkpoint}/decode ${frames} streamed`, () =>
          compareDecode(directory, checkpoint, frames, compute, streamed),
        ),
      ]),
    ]);
  });
};

function goldenCase(name: string, run: () => Promise<GoldenOutcome>): GoldenCase {
  return { group: "codec", name, run };
}

async function compareStages(directory: string, checkpoint: string, compute: GoldenCompute): Promise<GoldenOutcome> {
  await using expected = await GoldenTensors.open(directory, STAGES_FILE);
  await using source = await openCodec(path.join(directory, "tiny", checkpoint));
  using model = await DecoderModel.load(compute.backend, source);
  const rows = toTableRows(await readCodes(expected, "codes"), model);
  using graph = model.newGraph(rows.length / model.quantizerCount);
  const recorder = new StageRecorder(graph, expected);
  const input = graph.input("table_rows", "i32", rows.length);
  graph.output(model.build(graph, input, recorder.observe), "pcm");
  graph.allocate(compute.backend);
  input.set(rows);
  await compute.backend.computeAsync(graph);
  const missing = recorder.missing(expected.names.filter((name) => name !== "codes"));
  if (missing.length > 0) return failed(`stages without a counterpart: ${missing.join(", ")}`);
  return await recorder.compare(compute.codecTolerance, new Set(["quantised"]));
}

type Decode = (decoder: CodecDecoder, codes: readonly Int32Array[]) => Promise<Float32Array>;

const whole: Decode = (decoder, codes) => decoder.decode(codes);

const streamed: Decode = async (decoder, codes) => {
  const stream = decoder.stream({ windowFrames: STREAM_WINDOWS });
  const frames = codes[0]?.length ?? 0;
  const parts: Float32Array[] = [];
  let at = 0;
  for (let push = 0; at < frames; push++) {
    const end = at + (PUSH_FRAMES[push % PUSH_FRAMES.length] ?? 1);
    const part = codes.map((row) => row.slice(at, end));
    parts.push(await stream.push(part));
    at = end;
  }
  return concatenateSamples([...parts, await stream.flush()]);
};

async function compareDecode(
  directory: string,
  checkpoint: string,
  frames: string,
  compute: GoldenCompute,
  decode: Decode,
): Promise<GoldenOutcome> {
  await using expected = await GoldenTensors.open(directory, DECODE_FILE);
  await using source = await openCodec(path.join(directory, "tiny", checkpoint));
  using decoder = await CodecDecoder.load(compute.backend, source);
  const actual = await decode(decoder, await readCodes(expected, `${CODES_PREFIX}${frames}`));
  const { largestError, index } = largestDifference(await expected.float32(`pcm.${frames}`), actual);
  if (largestError <= compute.codecTolerance) return passed(`${actual.length} samples`, largestError);
  const detail = `sample ${index}: off by ${largestError.toExponential(1)} (limit ${compute.codecTolerance})`;
  return failed(detail, largestError);
}

/** codes i16 [codebooks, frames] as `codes[codebook][frame]`. */
async function readCodes(tensors: GoldenTensors, name: string): Promise<Int32Array[]> {
  const [codebooks = 0, frames = 0] = tensors.shape(name);
  const values = Int32Array.from(await tensors.int16(name));
  return Array.from({ length: codebooks }, (_, k) => values.slice(k * frames, (k + 1) * frames));
}
