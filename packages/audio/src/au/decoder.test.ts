import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

const au = { format: "au", noticesTruncation: false } as const;

describeAudioDecoder([
  { ...au, file: "au-mulaw-mono-8k.au", sampleRateHz: 8_000, channels: 1, tolerance: 0.02 },
  { ...au, file: "au-s24-stereo-16k.au", sampleRateHz: 16_000, channels: 2, tolerance: 1e-6 },
]);
