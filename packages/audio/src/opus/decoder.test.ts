import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

const opus = { format: "ogg-opus", sampleRateHz: 48_000 } as const;

// The mono file was resampled from 22.05 kHz, where 0.15 s is not a whole number of samples.
describeAudioDecoder([
  { ...opus, file: "ogg-opus-stereo.opus", channels: 2, tolerance: 0.06 },
  { ...opus, file: "ogg-opus-mono.opus", channels: 1, tolerance: 0.06, extraSamples: 2 },
  { ...opus, file: "ogg-opus-surround.opus", channels: 6, rightChannel: 2, tolerance: 0.06 },
]);
