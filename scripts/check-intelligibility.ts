/**
 * Speaks sentences with a checkpoint, has pocketsphinx (Debian) transcribe them, and compares the word error rates with the
 * model card's. `npm run check:intelligibility`. Skipped with a message if pocketsphinx is missing.
 *
 * Without options: all sets, by the demo checkpoint. Another checkpoint, and what has no limit, is measured with
 *   --model DIR      another checkpoint
 *   --set NAME       everyday (30 sentences), open (100 of open vocabulary), chunks (five everyday sentences at a time, as one chunk), or
 *                    dialogues (the same, in turn by two speakers); everyday unless given
 *   --seeds 0,1,2    the seeds
 *   --voice NAME     a bundled voice as the reference
 *   --wavs DIR       keeps the audio, for `evaluate.py voices` of the training scripts
 *   --teacher DIR    measures the clips of that folder, made by `make_data.py synth`, instead of a checkpoint
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encoderFor } from "@higgs-worker/audio";
import { loadConfig } from "../apps/worker/src/config/load.ts";
import { parseJob } from "../apps/worker/src/job/parse-input.ts";
import { runSpeechJob } from "../apps/worker/src/job/run-speech-job.ts";
import { silentLogger } from "../apps/worker/src/logging/logger.ts";
import { loadSpeechModel } from "../apps/worker/src/model/load-model.ts";
import { findModel } from "../apps/worker/src/model/locations.ts";
import { recognizerProblem, transcribe } from "./intelligibility/recognizer.ts";
import { wordErrors, wordsOf } from "./intelligibility/word-errors.ts";

const SETS = ["everyday", "open", "chunks", "dialogues"] as const;
type SetName = (typeof SETS)[number];

/** What the demo checkpoint is asked for: the model card's rates and two standard errors, since processors round, and so draw, differently. */
const LIMITS: Readonly<Record<SetName, { readonly rate: number; readonly seeds: readonly number[] }>> = {
  everyday: { rate: 0.19, seeds: [0, 1, 2] },
  open: { rate: 0.35, seeds: [0] },
  chunks: { rate: 0.27, seeds: [0] },
  dialogues: { rate: 0.33, seeds: [0] },
};
/** As in the model card's measurement; the longest chunks of open text take more. */
const MAX_FRAMES = 170;
const MAX_LONG_FRAMES = 700;
const SENTENCES_A_CHUNK = 5;
const IN_ONE_CHUNK: ReadonlySet<SetName> = new Set(["chunks", "dialogues"]);
const TRAINING = join(import.meta.dirname, "..", "demo-checkpoint", "training");

const { values: options } = parseArgs({
  options: {
    model: { type: "string" },
    set: { type: "string" },
    seeds: { type: "string" },
    voice: { type: "string" },
    wavs: { type: "string" },
    teacher: { type: "string" },
  },
});
/** Without options the sets of the card, and nothing else, have limits. */
const isCards = process.argv.length === 2;
const sets: readonly SetName[] = isCards ? SETS : [setNamed(options.set ?? "everyday")];

function setNamed(name: string): SetName {
  const known = SETS.find((set) => set === name);
  if (known === undefined) throw new Error(`Unknown set ${name}: ${SETS.join(", ")}`);
  return known;
}

/** The model card's sentences, which were not trained on: the hand-written list of training/make_data.py. */
function everydaySentences(): string[] {
  const script = readFileSync(join(TRAINING, "make_data.py"), "utf8");
  const list = /HELD_OUT_BY_HAND = """([^"]+)"""/.exec(script)?.[1]?.split("\n") ?? [];
  if (list.length !== 30) throw new Error(`Cannot find the 30 sentences in make_data.py (got ${list.length})`);
  return list.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1).replaceAll(" i ", " I ")}.`);
}

function transcriptsOf(set: SetName): string[] {
  if (set === "everyday") return everydaySentences();
  if (set === "open") return readFileSync(join(TRAINING, "heldout_open.txt"), "utf8").trim().split("\n");
  const sentences = everydaySentences();
  const spoken = sentences.map((text, index) => `[SPEAKER${index % 2}] ${text}`);
  const [lines, between] = set === "chunks" ? [sentences, " "] : [spoken, "\n"];
  return Array.from({ length: lines.length / SENTENCES_A_CHUNK }, (_, index) =>
    lines.slice(index * SENTENCES_A_CHUNK, (index + 1) * SENTENCES_A_CHUNK).join(between),
  );
}

const problem = recognizerProblem();
if (problem !== null) {
  console.log(`SKIPPED: the demo's speech was not transcribed: ${problem}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

const { config } = loadConfig({
  HIGGS_VOLUME_DIR: "/nowhere",
  HIGGS_DEVICE: "cpu",
  ...(options.model === undefined ? {} : { HIGGS_MODEL_PATH: options.model }),
});
const model = await loadSpeechModel(findModel(config, { allowDemo: true }), config, { logger: silentLogger });
const services = { config, logger: silentLogger, model: async () => model };

interface Spoken {
  readonly pcm: Float32Array;
  /** Whether the model found the end. */
  readonly isWhole: boolean;
}

/** The speech of one transcript, as one chunk. */
async function speak(transcript: string, seed: number, set: SetName): Promise<Spoken> {
  const job = {
    id: "intelligibility",
    input: {
      transcript,
      temperature: 0.3,
      seed,
      max_new_tokens: set === "everyday" ? MAX_FRAMES : MAX_LONG_FRAMES,
      allow_truncated: true,
      ...(IN_ONE_CHUNK.has(set) ? { chunk_method: "none" } : {}),
      ...(options.voice === undefined ? {} : { ref_audio: options.voice }),
    },
  };
  const { pcm, output } = await runSpeechJob(parseJob(job, config), services, {
    delivery: { kind: "bytes" },
    keepsPcm: true,
  });
  return { pcm, isWhole: !output.warnings.some((warning) => warning.startsWith("The audio is cut off")) };
}

/** What the training's teacher said: the clips of one shard of `make_data.py synth`, by their texts. */
function teacherSpeech(folder: string, set: SetName): (transcript: string) => Promise<Spoken> {
  const file = join(folder, set === "open" ? "open-000" : "heldout-000");
  const rows = JSON.parse(readFileSync(`${file}.json`, "utf8")) as { text: string; off: number; n: number }[];
  const samples = readFileSync(`${file}.bin`);
  return async (transcript) => {
    const row = rows.find(({ text }) => text === transcript);
    if (row === undefined) throw new Error(`The teacher did not say: ${transcript}`);
    const sampleAt = (index: number): number => samples.readInt16LE(2 * (row.off + index)) / 32_767;
    return { pcm: Float32Array.from({ length: row.n }, (_, index) => sampleAt(index)), isWhole: true };
  };
}

/** Speaks a set with every seed and has it heard. */
async function measure(set: SetName): Promise<{ readonly rate: number; readonly truncated: number }> {
  const say = options.teacher === undefined ? speak : teacherSpeech(options.teacher, set);
  const given = options.seeds?.split(",").map(Number) ?? LIMITS[set].seeds;
  let [errors, spoken, truncated] = [0, 0, 0];
  for (const seed of options.teacher === undefined ? given : [0]) {
    let [errorsOfSeed, wordsOfSeed] = [0, 0];
    for (const [index, transcript] of transcriptsOf(set).entries()) {
      const { pcm, isWhole } = await say(transcript, seed, set);
      if (!isWhole) truncated++;
      if (options.wavs !== undefined) {
        const name = `${seed}-${String(index).padStart(3, "0")}.wav`;
        writeFileSync(join(options.wavs, name), await encoderFor("wav").encode(pcm, { sampleRateHz: 24_000 }));
      }
      const heard = await transcribe(pcm);
      const words = wordsOf(transcript.replaceAll(/\[SPEAKER\d\]/gu, ""));
      const errorsOfText = wordErrors(words, wordsOf(heard));
      console.log(`${errorsOfText}  ${transcript.replaceAll("\n", " ")}  ->  ${heard}`);
      errorsOfSeed += errorsOfText;
      wordsOfSeed += words.length;
    }
    console.log(`${set}, seed ${seed}: word error rate ${(errorsOfSeed / wordsOfSeed).toFixed(3)}`);
    errors += errorsOfSeed;
    spoken += wordsOfSeed;
  }
  return { rate: errors / spoken, truncated };
}

if (options.wavs !== undefined) mkdirSync(options.wavs, { recursive: true });
let [passed, failed] = [0, 0];
for (const set of sets) {
  const { rate, truncated } = await measure(set);
  const isRight = !isCards || (rate <= LIMITS[set].rate && truncated === 0);
  if (isRight) passed += 1;
  else failed += 1;
  const limit = isCards ? ` (limit ${LIMITS[set].rate.toFixed(3)})` : "";
  const rates = `word error rate ${rate.toFixed(3)}${limit}; ${truncated} did not end by themselves`;
  console.log(`${isRight ? "passed" : "FAILED"} ${set}: ${rates}`);
}
await model[Symbol.asyncDispose]();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
