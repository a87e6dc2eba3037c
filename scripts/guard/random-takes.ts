import {
  ChunkRandom,
  CodecDecoder,
  ColumnGenerator,
  LanguageModel,
  openDevice,
  randomCodec,
  RandomWeightSource,
  RELEASED_CODEC_CONFIG,
  RELEASED_HIGGS_CONFIG,
  Sampler,
  servedKvTypes,
} from "@higgs-worker/higgs-audio/parts";
import { sentenceOf } from "./sentences.ts";
import type { TakeStore } from "./take-store.ts";

/** Few and short: a step of the released shapes takes seconds on a CPU. Random weights rarely end by themselves. */
const SLOTS = 4;
const PROMPT_ROWS = 40;
const SAMPLING = { temperature: 1, topK: 50, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };
const DELAY_COLUMNS = 9;

/** Generates with random weights of the released shapes, trunk and codec, until the limit; nothing if the store has takes. */
export async function makeRandomTakes(store: TakeStore, frames: number): Promise<void> {
  if (store.takes.length > 0) return;
  using backend = openDevice({ device: "cpu", threads: 1 });
  const source = new RandomWeightSource(backend.ggml, RELEASED_HIGGS_CONFIG, "q8_0");
  const options = {
    precision: "stored",
    kvTypes: servedKvTypes(backend.device),
    contextLength: 512,
    slots: SLOTS,
  } as const;
  const ended: { readonly codes: Int32Array[]; readonly finished: "eos" | "length" }[] = [];
  {
    using model = await LanguageModel.load(backend, source, options);
    const columns = frames + DELAY_COLUMNS;
    for (let slot = 0; slot < SLOTS; slot++) await model.prefill(slot, promptOf(slot, model.config.vocabSize));
    const generators = Array.from({ length: SLOTS }, (_, slot) => newGenerator(model, slot, columns));
    const graph = model.decodeGraph(PROMPT_ROWS + columns);
    const logits = new Float32Array(model.logitsLength);
    const column = new Int32Array(model.config.numCodebooks);
    for (let step = 0; generators.some(({ finished }) => finished === null); step++) {
      for (const [slot, generator] of generators.entries()) {
        generator.copyLastColumn(column);
        graph.setSlot(slot, column, PROMPT_ROWS + step);
      }
      await graph.compute(logits);
      for (const [slot, generator] of generators.entries()) {
        if (generator.finished !== null) continue;
        generator.step(logits, slot * model.config.numCodebooks * model.config.idsPerCodebook);
      }
      if (step % 10 === 0) console.log(`random weights: ${step} of ${columns} steps`);
    }
    ended.push(
      ...generators.map((generator) => ({ codes: generator.frames(), finished: generator.finished ?? "length" })),
    );
  }
  await source[Symbol.asyncDispose]();
  using decoder = await CodecDecoder.load(backend, randomCodec(RELEASED_CODEC_CONFIG, { seed: 1 }));
  for (const [index, { codes: own, finished }] of ended.entries()) {
    const pcm = await decoder.decode(own);
    const plan = { index, text: sentenceOf(index), voice: null, temperature: SAMPLING.temperature, seed: index };
    const facts = {
      frames: own[0]?.length ?? 0,
      textTokens: 10,
      finished,
      generateMs: 0,
      decodeMs: 0,
    } as const;
    store.add({ ...plan, ...facts }, own, pcm);
  }
}

function promptOf(slot: number, vocabSize: number) {
  return {
    isAudio: new Uint8Array(PROMPT_ROWS),
    textIds: Int32Array.from({ length: PROMPT_ROWS }, (_, row) => (row * 97 + slot * 1009) % vocabSize),
    columnIds: new Int32Array(0),
  };
}

function newGenerator({ config }: LanguageModel, slot: number, maxColumns: number): ColumnGenerator {
  return new ColumnGenerator(config, {
    sampling: SAMPLING,
    maxColumns,
    sampler: new Sampler(config.idsPerCodebook),
    uniforms: new ChunkRandom(slot, 0),
    columnsBefore: new Int32Array(0),
  });
}
