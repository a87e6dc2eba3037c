import { join } from "node:path";
import { type Backend, Graph, quantizeRows, rowBytes, TensorArena, type TensorType } from "@higgs-worker/ggml";
import { loadSpeechModel } from "@higgs-worker/higgs-audio";
import {
  CodecDecoder,
  CodecEncoder,
  LanguageModel,
  randomCodec,
  RandomWeightSource,
  RELEASED_CODEC_CONFIG,
  RELEASED_HIGGS_CONFIG,
  openCodec,
  servedKvTypes,
} from "@higgs-worker/higgs-audio/parts";

/** Work that can be done again and again. */
export interface Workload extends AsyncDisposable {
  /** What a run's processor seconds are divided by to give the figure in its unit. */
  readonly amount: number;
  run(): Promise<void>;
}

type CodecSource = Parameters<typeof CodecDecoder.load>[1];

export const UNITS: Readonly<Record<string, string>> = {
  decode: "s a second of audio",
  encode: "s a second of audio",
  demo: "s a second of audio",
  "demo-decode": "s a second of audio",
  "demo-encode": "s a second of audio",
  prefill: "ms a row",
  step: "ms",
  product: "ms",
};

/** Layers of the trunk; all cost the same. */
const LAYERS = 2;
const DEMO = join(import.meta.dirname, "..", "..", "demo-checkpoint", "checkpoint");
const AUDIO_SECONDS = 2;
const PREFILL_ROWS = 200;
const STEPS = 10;
const CONTEXT_LENGTH = 512;

/** Names of the workloads that a CPU library is compared with: `kind`, then what of. */
export const WORKLOADS: readonly string[] = [
  "decode",
  "encode",
  "demo",
  ...["bf16", "q8_0", "q4_k"].flatMap((format) => [`prefill ${format}`, `step ${format}`]),
  ...["f32", "bf16", "q8_0", "q4_k"].flatMap((type) => [1, 128].map((columns) => `product ${type} ${columns}`)),
];

export async function openWorkload(
  name: string,
  backend: Backend,
  ggmlDirectory: string | undefined,
): Promise<Workload> {
  const [kind = "", of = "", columns = ""] = name.split(" ");
  if (kind.endsWith("decode") || kind.endsWith("encode")) {
    await using codec = kind.startsWith("demo") ? await openCodec(join(DEMO, "codec")) : null;
    const source = codec ?? randomCodec(RELEASED_CODEC_CONFIG, { seed: 1 });
    return kind.endsWith("decode") ? await openDecode(backend, source) : await openEncode(backend, source);
  }
  if (kind === "demo") return await openDemo(ggmlDirectory);
  const format = of as "bf16" | "q8_0" | "q4_k";
  if (kind === "prefill" || kind === "step") return await openTrunk(backend, kind, format, Number(columns) || 1);
  if (kind === "product") return openProduct(backend, of as TensorType, Number(columns));
  throw new Error(`Cannot measure ${name}: there is no such workload`);
}

async function openDecode(backend: Backend, codec: CodecSource): Promise<Workload> {
  const decoder = await CodecDecoder.load(backend, codec);
  const frames = AUDIO_SECONDS * RELEASED_CODEC_CONFIG.frameRateHz;
  const codes = Array.from({ length: RELEASED_CODEC_CONFIG.numQuantizers }, (_, codebook) =>
    Int32Array.from({ length: frames }, (_unused, frame) => (frame * 37 + codebook * 101) % 1024),
  );
  return {
    amount: AUDIO_SECONDS,
    run: async () => void (await decoder.decode(codes)),
    [Symbol.asyncDispose]: async () => decoder[Symbol.dispose](),
  };
}

async function openEncode(backend: Backend, codec: CodecSource): Promise<Workload> {
  const encoder = await CodecEncoder.load(backend, codec);
  const pcm = Float32Array.from({ length: AUDIO_SECONDS * encoder.sampleRateHz }, (_, i) => 0.3 * Math.sin(i * 0.05));
  return {
    amount: AUDIO_SECONDS,
    run: async () => void (await encoder.encode(pcm)),
    [Symbol.asyncDispose]: async () => encoder[Symbol.dispose](),
  };
}

/** A sentence of the demo checkpoint, from text to samples. */
async function openDemo(ggmlDirectory: string | undefined): Promise<Workload> {
  const model = await loadSpeechModel({
    modelPath: DEMO,
    tokenizerPath: join(DEMO, "codec"),
    device: "cpu",
    threads: 1,
    ggmlDirectory,
  });
  const speak = async () =>
    await model.speak({ transcript: "The sun is warm and the sky is blue.", sampling: { temperature: 0.3 }, seed: 1 });
  const { pcm, sampleRateHz } = await speak();
  return {
    amount: pcm.length / sampleRateHz,
    run: async () => void (await speak()),
    [Symbol.asyncDispose]: async () => await model[Symbol.asyncDispose](),
  };
}

async function openTrunk(
  backend: Backend,
  kind: "prefill" | "step",
  format: "bf16" | "q8_0" | "q4_k",
  sequences: number,
): Promise<Workload> {
  // Few layers and few text ids: what is left has the released shapes.
  const config = { ...RELEASED_HIGGS_CONFIG, numHiddenLayers: LAYERS };
  await using source = new RandomWeightSource(backend.ggml, config, format);
  const model = await LanguageModel.load(backend, source, {
    precision: "stored",
    kvTypes: servedKvTypes(backend.device),
    contextLength: CONTEXT_LENGTH,
    slots: sequences,
  });
  const dispose = async () => model[Symbol.dispose]();
  if (kind === "prefill") {
    const prompt = {
      isAudio: new Uint8Array(PREFILL_ROWS),
      textIds: Int32Array.from({ length: PREFILL_ROWS }, (_, row) => row),
      columnIds: new Int32Array(0),
    };
    const run = async () => await model.prefill(0, prompt);
    return { amount: PREFILL_ROWS / 1000, run, [Symbol.asyncDispose]: dispose };
  }
  const graph = model.decodeGraph(CONTEXT_LENGTH);
  const logits = new Float32Array(model.logitsLength);
  const column = new Int32Array(config.numCodebooks).fill(7);
  return {
    amount: STEPS / 1000,
    run: async () => {
      for (let step = 0; step < STEPS; step++) {
        for (let slot = 0; slot < sequences; slot++) graph.setSlot(slot, column, CONTEXT_LENGTH - STEPS + step);
        await graph.compute(logits);
      }
    },
    [Symbol.asyncDispose]: dispose,
  };
}

function openProduct(backend: Backend, type: TensorType, columns: number): Workload {
  const [inner, rows] = [RELEASED_HIGGS_CONFIG.hiddenSize, RELEASED_HIGGS_CONFIG.intermediateSize];
  const arena = new TensorArena(backend.ggml, { maxTensors: 1 });
  const matrix = arena.define("matrix", type, inner, rows);
  arena.allocate(backend, "weights");
  const row = Float32Array.from({ length: inner }, (_, i) => Math.sin(i * 0.37) * 0.1);
  const bytes = new Uint8Array(rowBytes(type, inner));
  quantizeRows(backend.ggml, type, row, bytes, inner);
  const all = new Uint8Array(bytes.length * rows);
  for (let index = 0; index < rows; index++) all.set(bytes, index * bytes.length);
  matrix.set(all);
  const graph = new Graph(backend.ggml, { maxNodes: 4 });
  const input = graph.input("input", "f32", inner, columns);
  graph.output(graph.mulMat(matrix, input));
  graph.allocate(backend);
  const values = Float32Array.from({ length: inner * columns }, (_, i) => Math.cos(i * 0.11));
  const runs = columns === 1 ? 16 : 1;
  return {
    amount: runs / 1000,
    run: async () => {
      for (let run = 0; run < runs; run++) {
        input.set(values);
        backend.compute(graph);
      }
    },
    [Symbol.asyncDispose]: async () => {
      graph[Symbol.dispose]();
      arena[Symbol.dispose]();
    },
  };
}
