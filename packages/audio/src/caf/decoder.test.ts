import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

const caf = { format: "caf", sampleRateHz: 16_000, channels: 2, noticesTruncation: false } as const;

describeAudioDecoder([
  { ...caf, file: "caf-s16be-stereo-16k.caf", tolerance: 1e-4 },
  // Its table of packets comes behind the samples.
  { ...caf, file: "caf-alac-stereo-16k.caf", tolerance: 1e-4, noticesTruncation: true },
]);
