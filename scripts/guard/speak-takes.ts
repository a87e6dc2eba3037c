import { join } from "node:path";
import { clipSamples, loadSpeechModel, type Reference, type SpeechModel } from "@higgs-worker/higgs-audio";
import { loadTextTokenizer } from "@higgs-worker/higgs-audio/parts";
import type { TakeStore } from "./take-store.ts";
import { DEMO, MAX_TAKE_FRAMES, planTake, type TakePlan, transcriptOf, voiceNames } from "./takes.ts";
import { voiceSamples } from "./voices.ts";

/** Columns beyond the frames of an attempt: the all-BOS one and the delay of eight codebooks. */
const EXTRA_COLUMNS = 9;
const SLOTS = 8;

/** Speaks the takes that the store lacks. */
export async function speakTakes(store: TakeStore, indices: readonly number[]): Promise<void> {
  const missing = indices.filter((index) => !store.has(index));
  if (missing.length === 0) return;
  const checkpoint = join(DEMO, "checkpoint");
  const model = await loadSpeechModel({
    modelPath: checkpoint,
    tokenizerPath: join(checkpoint, "codec"),
    device: "cpu",
    threads: 1,
    slots: SLOTS,
    contextLength: 1024,
    cacheDir: join(store.folder, "cache"),
  });
  const tokenizer = await loadTextTokenizer(checkpoint);
  const references = await loadVoices(model.sampleRateHz);
  const startMs = performance.now();
  const cpuBefore = process.cpuUsage();
  let done = 0;
  const waiting = missing.values();
  const speakNext = async (): Promise<void> => {
    for (const index of waiting) {
      const plan = planTake(index);
      await speakTake(store, model, plan, {
        textTokens: tokenizer.encode(plan.text).length,
        references: plan.voice === null ? [] : [references.get(plan.voice)].filter((found) => found !== undefined),
      });
      done++;
      if (done % 50 === 0) console.log(`spoken ${done} of ${missing.length}, ${seconds(startMs)} s`);
    }
  };
  await Promise.all(Array.from({ length: SLOTS }, speakNext));
  await model[Symbol.asyncDispose]();
  const { user, system } = process.cpuUsage(cpuBefore);
  const spoken = new Set(missing);
  const frames = store.takes.reduce((sum, take) => sum + (spoken.has(take.index) ? take.frames : 0), 0);
  store.addCost({ takes: missing.length, frames, cpuSeconds: (user + system) / 1e6 });
}

interface Extras {
  readonly textTokens: number;
  readonly references: readonly Reference[];
}

async function speakTake(
  store: TakeStore,
  model: SpeechModel,
  plan: TakePlan,
  { textTokens, references }: Extras,
): Promise<void> {
  const { codes, pcm, audioFrames, chunks, timings } = await model.speak({
    transcript: plan.text,
    references,
    seed: plan.seed,
    // The model's first attempt as it is: whole, untrimmed, good or not.
    chunkMethod: "none",
    guard: false,
    allowTruncated: true,
    sampling: { temperature: plan.temperature },
    maxNewTokens: MAX_TAKE_FRAMES + EXTRA_COLUMNS,
  });
  const { generateMs, decodeMs } = timings;
  const finished = chunks[0]?.finished ?? "length";
  store.add({ ...plan, frames: audioFrames, textTokens, finished, generateMs, decodeMs }, codes, pcm);
}

async function loadVoices(sampleRateHz: number): Promise<Map<string, Reference>> {
  const voices = new Map<string, Reference>();
  for (const name of voiceNames()) {
    const samples = await voiceSamples(name, sampleRateHz);
    voices.set(name, { kind: "clip", transcript: transcriptOf(name), ...clipSamples(samples) });
  }
  return voices;
}

function seconds(startMs: number): string {
  return ((performance.now() - startMs) / 1000).toFixed(0);
}
