import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encoderFor } from "@higgs-worker/audio";
import { resampleThreeToTwo } from "./resample.ts";

const PROGRAM = "pocketsphinx_continuous";
const MODEL_DIR = "/usr/share/pocketsphinx/model/en-us";
const RATE_HZ = 16_000;

/** Silence before and after, which the recognizer needs. */
const LEAD_SECONDS = 0.3;
const TAIL_SECONDS = 0.5;

/** What to do when the recognizer is missing, or null. */
export function recognizerProblem(): string | null {
  const isThere = spawnSync(PROGRAM, ["-help"]).error === undefined && existsSync(join(MODEL_DIR, "en-us.lm.bin"));
  return isThere ? null : "pocketsphinx is not installed: apt-get install pocketsphinx pocketsphinx-en-us";
}

/** 24 kHz speech as the recognizer wants it: at 16 kHz, with silence around it. */
export function padForRecognizer(pcm24k: Float32Array): Float32Array {
  const speech = resampleThreeToTwo(pcm24k);
  const padded = new Float32Array(Math.round((LEAD_SECONDS + TAIL_SECONDS) * RATE_HZ) + speech.length);
  padded.set(speech, Math.round(LEAD_SECONDS * RATE_HZ));
  return padded;
}

/** The recognizer's models of English: sounds, words and their order. */
export const recognizerFiles = {
  hmm: join(MODEL_DIR, "en-us"),
  dict: join(MODEL_DIR, "cmudict-en-us.dict"),
  lm: join(MODEL_DIR, "en-us.lm.bin"),
} as const;

/** The words that pocketsphinx hears in 24 kHz speech. */
export async function transcribe(pcm24k: Float32Array): Promise<string> {
  const padded = padForRecognizer(pcm24k);
  const dir = mkdtempSync(join(tmpdir(), "higgs-hear-"));
  try {
    const file = join(dir, "speech.wav");
    writeFileSync(file, await encoderFor("wav").encode(padded, { sampleRateHz: RATE_HZ }));
    const { hmm, dict, lm } = recognizerFiles;
    const options = ["-infile", file, "-hmm", hmm, "-dict", dict, "-lm", lm, "-logfn", "/dev/null"];
    const { stdout, status } = spawnSync(PROGRAM, options, { encoding: "utf8" });
    if (status !== 0) throw new Error(`Cannot transcribe: ${PROGRAM} ended with ${String(status)}`);
    return stdout.trim().replaceAll(/\s+/g, " ");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
