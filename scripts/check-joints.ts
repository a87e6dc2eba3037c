/**
 * Puts the demo checkpoint's speech together, chunk by chunk, and compares the joints with the inside of the speech: the step from
 * sample to sample, spectral flux, and how far an impulse stands out. `npm run check:joints`. Two planted faults show that the
 * measures would find a click.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ChunkedAudio } from "../packages/higgs-audio/src/speech/chunked-audio.ts";
import { JoinedAudio } from "../packages/higgs-audio/src/speech/joined-audio.ts";
import { type JointRanks, rankJoints } from "../packages/higgs-audio/src/speech/joint-statistics.ts";
import { DEFAULT_PAUSES_MS, NO_PAUSES_MS } from "../packages/higgs-audio/src/speech/pauses.ts";
import type { ChunkAudio, SpeechAudio } from "../packages/higgs-audio/src/speech/speech-audio.ts";
import { openDemoDecoder, speakSentences } from "../packages/higgs-audio/src/speech/testing/demo-speech.ts";

const CHUNKS = 40;
/** Of the joints, so many may be beyond what 99 of 100 stretches of the inside have … */
const ALLOWED_SHARE = 0.02;
/** … and of the planted faults, so many must be: some of the cuts fall between words. */
const FOUND_SHARE = 0.8;

const vocabulary = readFileSync(join(import.meta.dirname, "..", "demo-checkpoint", "training", "make_data.py"), "utf8");
const sentences = (/HELD_OUT_BY_HAND = """([^"]+)"""/.exec(vocabulary)?.[1]?.split("\n") ?? []).map(
  (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`,
);
const chunks = await speakSentences(
  Array.from({ length: CHUNKS }, (_, index) => sentences[index % sentences.length] ?? ""),
);
using demo = await openDemoDecoder();
const { decoder } = demo;
const { sampleRateHz } = decoder;

interface Joined {
  readonly pcm: Float32Array;
  readonly joints: readonly number[];
}

async function assemble(audio: SpeechAudio): Promise<Joined> {
  const times: ChunkAudio[] = [];
  for (const [index, codes] of chunks.entries()) {
    const isLast = index + 1 === chunks.length;
    audio.beginChunk();
    times.push(await audio.endChunk(codes, { end: isLast ? "text" : "sentence", pauseAfterSeconds: null, isLast }));
  }
  const edges = times.flatMap(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]).slice(1, -1);
  const joints = new Set(edges.map((seconds) => Math.round(seconds * sampleRateHz)));
  return { pcm: await audio.finish(), joints: [...joints] };
}

/** Chunks cut within their speech and put together as they are. */
async function cutHard(): Promise<Joined> {
  const parts: number[] = [];
  const joints: number[] = [];
  for (const codes of chunks) {
    const pcm = await decoder.decode(codes);
    if (parts.length > 0) joints.push(parts.length);
    for (const sample of pcm.subarray(Math.round(pcm.length * 0.3), Math.round(pcm.length * 0.7))) parts.push(sample);
  }
  return { pcm: Float32Array.from(parts), joints };
}

/** What users get, with one sample of −50 dBFS at each joint. */
async function clickAtJoints(assembled: Joined): Promise<Joined> {
  const pcm = assembled.pcm.slice();
  for (const joint of assembled.joints) pcm[joint] = 10 ** (-50 / 20);
  return { pcm, joints: assembled.joints };
}

const plain = { trim: false, pausesMs: NO_PAUSES_MS, leadingPauseSeconds: 0, playbackSpeed: 1 };
const users = await assemble(new ChunkedAudio(decoder, { ...plain, trim: true, pausesMs: DEFAULT_PAUSES_MS }, {}));
const rows: readonly (readonly [string, Joined, "clean" | "planted"])[] = [
  ["codes joined, as the reference does", await assemble(new JoinedAudio(decoder, {})), "clean"],
  ["chunks, neither trimmed nor with pauses", await assemble(new ChunkedAudio(decoder, plain, {})), "clean"],
  ["chunks, trimmed", await assemble(new ChunkedAudio(decoder, { ...plain, trim: true }, {})), "clean"],
  ["chunks, trimmed, with pauses (default)", users, "clean"],
  ["planted: cut within speech, no fade", await cutHard(), "planted"],
  ["planted: one sample of −50 dBFS", await clickAtJoints(users), "planted"],
];

const MEASURES = ["step", "flux", "prominence"] as const;
const isBeyond = ({ ranks }: JointRanks): boolean => MEASURES.some((name) => ranks[name] > 0.99);
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

console.log(
  `${CHUNKS} chunks of the demo checkpoint; ranks among the inside of the speech, median and largest of all joints\n`,
);
console.log("| Audio | Joints | Step | Flux | Prominence | Beyond 99 % |\n|---|---|---|---|---|---|");
let failed = 0;
for (const [name, { pcm, joints }, kind] of rows) {
  const ranked = rankJoints(pcm, sampleRateHz, joints);
  const cells = MEASURES.map((measure) => {
    const sorted = ranked.map(({ ranks }) => ranks[measure]).toSorted((a, b) => a - b);
    return `${percent(sorted[sorted.length >> 1] ?? 0)}, ${percent(sorted.at(-1) ?? 0)}`;
  });
  const beyond = ranked.filter(isBeyond).length / ranked.length;
  console.log(`| ${name} | ${joints.length} | ${cells.join(" | ")} | ${percent(beyond)} |`);
  if (kind === "clean" ? beyond > ALLOWED_SHARE : beyond < FOUND_SHARE) failed++;
}
console.log(`\n${rows.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
