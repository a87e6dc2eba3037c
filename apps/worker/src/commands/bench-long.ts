import { BENCH_REQUEST, perSecond, timed, withSpeechModel } from "./bench-measure.ts";

const SENTENCES = [
  "The sun is warm and the sky is blue.",
  "She gave me a book about the sea.",
  "We walked home through the quiet town.",
  "He wrote a letter to his old friend.",
];
/** Repetitions of the four sentences: about half a minute and two minutes of speech. */
const REPETITIONS = [3, 12];

/** Long texts, divided at sentences with two chunks kept in the prompt: speed and memory by length. */
export const measureLong = withSpeechModel(async function* (model, { signal }) {
  for (const repetitions of REPETITIONS) {
    const transcript = Array.from({ length: repetitions }, () => SENTENCES.join(" ")).join(" ");
    let audioSeconds = Number.NaN;
    let chunks = 0;
    const whole = await timed(async () => {
      const request = {
        ...BENCH_REQUEST,
        transcript,
        chunkMethod: "sentence",
        generationChunkBufferSize: 2,
      } as const;
      const { pcm, sampleRateHz, chunkCount } = await model.speak(request, { signal });
      audioSeconds = pcm.length / sampleRateHz;
      chunks = chunkCount;
    });
    const memory = await model.memory?.();
    const resident = memory ? `, ${(memory.residentBytes / 1e6).toFixed(0)} MB resident` : "";
    yield {
      name: `long text of ${transcript.length} characters, real-time factor`,
      unit: "s/s",
      ...perSecond(whole, audioSeconds),
      note: `${audioSeconds.toFixed(0)} s of audio in ${chunks} chunks${resident}`,
    };
  }
});
