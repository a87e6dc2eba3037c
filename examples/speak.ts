// Use the model as a library: text in, 24 kHz samples out.
//   npx tsx examples/speak.ts out.wav
// It speaks with the demo checkpoint; give loadSpeechModel the two folders of the real one, and nothing else changes.
import { writeFile } from "node:fs/promises";
import { encoderFor } from "@higgs-worker/audio";
import { loadSpeechModel } from "@higgs-worker/higgs-audio";

const checkpoint = `${import.meta.dirname}/../demo-checkpoint/checkpoint`;
await using model = await loadSpeechModel({ modelPath: checkpoint, tokenizerPath: `${checkpoint}/codec` });
const { pcm, sampleRateHz, seed } = await model.speak({
  transcript: "The little boy went down to the river.",
  seed: 7,
});
const file = process.argv[2] ?? "out.wav";
await writeFile(file, await encoderFor("wav").encode(pcm, { sampleRateHz }));
console.log(`${file}: ${(pcm.length / sampleRateHz).toFixed(2)} s, seed ${seed}`);
