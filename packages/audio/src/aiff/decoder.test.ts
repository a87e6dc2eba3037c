import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

const aiff = { format: "aiff", sampleRateHz: 16_000, tolerance: 1e-6, noticesTruncation: false } as const;

describeAudioDecoder([
  { ...aiff, file: "aiff-s24-mono-16k.aiff", channels: 1 },
  { ...aiff, file: "aifc-f32-stereo-16k.aiff", channels: 2 },
]);
