// Hear the beginning while the rest is still being generated: raw samples to a speaker, a file or any other program.
//   npx tsx examples/stream.ts | aplay -q -t raw -f S16_LE -r 24000 -c 1
//   npx tsx examples/stream.ts > speech.pcm
import { once } from "node:events";
import { floatToPcm16, pcm16ToBytes } from "@higgs-worker/audio";
import { loadSpeechModel } from "@higgs-worker/higgs-audio";

const checkpoint = `${import.meta.dirname}/../demo-checkpoint/checkpoint`;
await using model = await loadSpeechModel({ modelPath: checkpoint, tokenizerPath: `${checkpoint}/codec` });
const stop = new AbortController();
process.stdout.once("error", () => stop.abort()); // The reader is gone: stop speaking, at the next frame.

const { timings } = await model.speak(
  { transcript: "The little boy went down to the river.", seed: 7 },
  { signal: stop.signal, onAudio: (pcm) => void process.stdout.write(pcm16ToBytes(floatToPcm16(pcm))) },
);
if (process.stdout.writableNeedDrain) await once(process.stdout, "drain");
console.error(
  `first audio after ${Math.round(timings.firstAudioMs)} ms, all of it after ${Math.round(timings.totalMs)} ms`,
);
