import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

describeAudioDecoder([
  {
    file: "w64-s16-stereo-16k.w64",
    format: "w64",
    sampleRateHz: 16_000,
    channels: 2,
    tolerance: 1e-4,
    noticesTruncation: false,
  },
]);
