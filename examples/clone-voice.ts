// Clone a voice from a few seconds of speech and its transcript.
//   npx tsx examples/clone-voice.ts clip.wav "What is said in the clip." out.wav
// Without arguments it clones a synthetic voice that ships here. Clone only the voices of people who have agreed to it.
import { readFile, writeFile } from "node:fs/promises";
import { encoderFor, loadReference } from "@higgs-worker/audio";
import { clipSamples, loadSpeechModel } from "@higgs-worker/higgs-audio";

const demo = `${import.meta.dirname}/../demo-checkpoint/`;
const [clipPath = `${demo}voices/slt.wav`, words, file = "cloned.wav"] = process.argv.slice(2);
const transcript = words ?? (await readFile(`${demo}voices/slt.txt`, "utf8"));

await using model = await loadSpeechModel({
  modelPath: `${demo}checkpoint`,
  tokenizerPath: `${demo}checkpoint/codec`,
});
// Any format and rate; `findings` says what may be wrong with the clip.
const { samples, findings } = await loadReference(await readFile(clipPath), model.sampleRateHz);
for (const { message } of findings) console.log(`warning: ${message}`);
const { pcm, sampleRateHz } = await model.speak({
  transcript: "She gave me a book about the sea.",
  references: [{ kind: "clip", transcript, ...clipSamples(samples) }],
  sampling: { temperature: 0.3 },
  seed: 7,
});
await writeFile(file, await encoderFor("wav").encode(pcm, { sampleRateHz }));
console.log(`${file}: ${(pcm.length / sampleRateHz).toFixed(2)} s in the voice of ${clipPath}`);
