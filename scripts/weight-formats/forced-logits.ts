import {
  applyDelayPattern,
  buildFixedMessages,
  buildPrompt,
  ChunkRandom,
  expandPrompt,
  LanguageModel,
  loadTextTokenizer,
  type PromptRows,
  Scheduler,
  servedKvTypes,
  type WeightSource,
} from "@higgs-worker/higgs-audio/parts";
import type { Backend } from "@higgs-worker/ggml";
import { sentenceOf } from "../guard/sentences.ts";

/** What the reference model said: a prompt, and the columns that it made, the all-BOS column first. */
export interface Spoken {
  readonly prompt: PromptRows;
  readonly columns: Int32Array;
}

const MAX_COLUMNS = 200;
const SAMPLING = { temperature: 0.7, topK: 50, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };

export async function loadFrom(
  backend: Backend,
  source: WeightSource,
  precision: "stored" | "f32",
): Promise<LanguageModel> {
  return await LanguageModel.load(backend, source, {
    precision,
    kvTypes: servedKvTypes(backend.device),
    contextLength: 1024,
    slots: 1,
  });
}

/** Lets a model speak the first `count` sentences, sampled with fixed seeds. */
export async function speakSentences(model: LanguageModel, modelPath: string, count: number): Promise<Spoken[]> {
  const tokenizer = await loadTextTokenizer(modelPath);
  const scheduler = new Scheduler(model);
  const spoken: Spoken[] = [];
  for (let index = 0; index < count; index++) {
    const fixed = buildFixedMessages({
      references: [],
      referencesInSystemMessage: false,
      scene: "Audio is recorded from a quiet room.",
      speakerTags: [],
    });
    const user = { role: "user", parts: [{ kind: "text", text: sentenceOf(index) }] } as const;
    const prompt = expandPrompt(buildPrompt([...fixed, user], tokenizer, { forceAudio: true }), {
      specialIds: tokenizer.specialIds,
      numCodebooks: model.config.numCodebooks,
      toColumns: (codes) => applyDelayPattern(codes, model.config),
    });
    const { columns } = await scheduler.generate({
      prompt,
      sampling: SAMPLING,
      maxColumns: MAX_COLUMNS,
      columnsBefore: new Int32Array(0),
      uniforms: new ChunkRandom(index, 0),
    });
    spoken.push({ prompt, columns });
  }
  return spoken;
}

/**
 * Logits of a model that is fed what was spoken, column by column: for each the values of all codebooks that are sampled there. The
 * first columns start one codebook after the other (the delay pattern).
 */
export async function* forcedLogits(
  model: LanguageModel,
  { prompt, columns }: Spoken,
): AsyncGenerator<readonly Float32Array[]> {
  const { numCodebooks, idsPerCodebook } = model.config;
  await model.prefill(0, prompt);
  const start = prompt.isAudio.length;
  const logits = new Float32Array(model.logitsLength);
  for (let column = 0; column + 1 < columns.length / numCodebooks; column++) {
    const graph = model.decodeGraph(start + column + 1);
    graph.setSlot(0, columns.subarray(column * numCodebooks, (column + 1) * numCodebooks), start + column);
    await graph.compute(logits);
    yield Array.from({ length: Math.min(column + 1, numCodebooks) }, (_, codebook) =>
      logits.slice(codebook * idsPerCodebook, (codebook + 1) * idsPerCodebook),
    );
  }
}
