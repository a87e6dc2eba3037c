/**
 * Speaks sentences with a checkpoint, each with several seeds, has pocketsphinx (Debian) transcribe them, and compares the word
 * error rate with the model card's. `npm run check:intelligibility`. Skipped with a message if pocketsphinx is missing.
 *
 * Without options: the 30 everyday sentences, by the demo checkpoint. Another checkpoint, and what has no limit, is measured with
 *   --model DIR      another checkpoint
 *   --set NAME       everyday (30 sentences), open (100 of open vocabulary), or chunks (five everyday sentences at a time, as one chunk)
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

/**
 * Model card: 0.216 ± 0.05 at temperature 0.3 with RAS, from one seed. Seeds differ by 0.023 (standard deviation of eight), and so do
 * processors, whose rounding leads to other samples: the limit is the card's upper end and two standard errors of our mean.
 */
const LIMIT = 0.216 + 0.05 + (2 * 0.023) / Math.sqrt(3);
/** As in the model card's measurement; the longest chunks of open text take more. */
const MAX_FRAMES = 170;
const MAX_LONG_FRAMES = 700;
const SENTENCES_A_CHUNK = 5;
const TRAINING = join(import.meta.dirname, "..", "demo-checkpoint", "training");

const { values: options } = parseArgs({
  options: {
    model: { type: "string" },
    set: { type: "string", default: "everyday" },
    seeds: { type: "string", default: "0,1,2" },
    voice: { type: "string" },
    wavs: { type: "string" },
    teacher: { type: "string" },
  },
});
const isCards = options.set === "everyday" && !options.model && !options.voice && !options.teacher;
const seeds = options.teacher === undefined ? options.seeds.split(",").map(Number) : [0];

/** The model card's sentences, which were not trained on: the hand-written list of training/make_data.py. */
function everydaySentences(): string[] {
  const script = readFileSync(join(TRAINING, "make_data.py"), "utf8");
  const list = /HELD_OUT_BY_HAND = """([^"]+)"""/.exec(script)?.[1]?.split("\n") ?? [];
  if (list.length !== 30) throw new Error(`Cannot find the 30 sentences in make_data.py (got ${list.length})`);
  return list.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1).replaceAll(" i ", " I ")}.`);
}

function transcripts(): string[] {
  if (options.set === "everyday") return everydaySentences();
  if (options.set === "open") return readFileSync(join(TRAINING, "heldout_open.txt"), "utf8").trim().split("\n");
  if (options.set !== "chunks") throw new Error(`Unknown set ${options.set}: everyday, open or chunks`);
  const sentences = everydaySentences();
  return Array.from({ length: sentences.length / SENTENCES_A_CHUNK }, (_, index) =>
    sentences.slice(index * SENTENCES_A_CHUNK, (index + 1) * SENTENCES_A_CHUNK).join(" "),
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
let truncated = 0;

/** The speech of one transcript, as one chunk. */
async function speak(transcript: string, seed: number): Promise<Float32Array> {
  const job = {
    id: "intelligibility",
    input: {
      transcript,
      temperature: 0.3,
      seed,
      max_new_tokens: options.set === "everyday" ? MAX_FRAMES : MAX_LONG_FRAMES,
      allow_truncated: true,
      ...(options.set === "chunks" ? { chunk_method: "none" } : {}),
      ...(options.voice === undefined ? {} : { ref_audio: options.voice }),
    },
  };
  const { pcm, output } = await runSpeechJob(parseJob(job, config), services, {
    delivery: { kind: "bytes" },
    keepsPcm: true,
  });
  if (JSON.stringify(output).includes("before its text")) truncated++;
  return pcm;
}

/** What the training's teacher said: the clips of one shard of `make_data.py synth`, by their texts. */
function teacherSpeech(folder: string): (transcript: string) => Promise<Float32Array> {
  const file = join(folder, options.set === "open" ? "open-000" : "heldout-000");
  const rows = JSON.parse(readFileSync(`${file}.json`, "utf8")) as { text: string; off: number; n: number }[];
  const samples = readFileSync(`${file}.bin`);
  return async (transcript) => {
    const row = rows.find(({ text }) => text === transcript);
    if (row === undefined) throw new Error(`The teacher did not say: ${transcript}`);
    return Float32Array.from({ length: row.n }, (_, index) => samples.readInt16LE(2 * (row.off + index)) / 32_767);
  };
}

const say = options.teacher === undefined ? speak : teacherSpeech(options.teacher);
if (options.wavs !== undefined) mkdirSync(options.wavs, { recursive: true });
let [errors, words] = [0, 0];
for (const seed of seeds) {
  let [errorsOfSeed, wordsOfSeed] = [0, 0];
  for (const [index, transcript] of transcripts().entries()) {
    const pcm = await say(transcript, seed);
    if (options.wavs !== undefined) {
      const name = `${seed}-${String(index).padStart(3, "0")}.wav`;
      writeFileSync(join(options.wavs, name), await encoderFor("wav").encode(pcm, { sampleRateHz: 24_000 }));
    }
    const heard = await transcribe(pcm);
    const errorsOfText = wordErrors(wordsOf(transcript), wordsOf(heard));
    console.log(`${errorsOfText}  ${transcript}  ->  ${heard}`);
    errorsOfSeed += errorsOfText;
    wordsOfSeed += wordsOf(transcript).length;
  }
  console.log(`seed ${seed}: word error rate ${(errorsOfSeed / wordsOfSeed).toFixed(3)}`);
  errors += errorsOfSeed;
  words += wordsOfSeed;
}
await model[Symbol.asyncDispose]();
const rate = errors / words;
const limit = isCards ? ` (limit ${LIMIT.toFixed(3)})` : "";
console.log(`word error rate ${rate.toFixed(3)} on ${words} words${limit}; ${truncated} did not end by themselves`);
process.exit(isCards && rate > LIMIT ? 1 : 0);
