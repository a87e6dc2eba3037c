import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

const mp3 = { format: "mp3", noticesTruncation: false } as const;

describeAudioDecoder([
  { ...mp3, file: "mp3-stereo-44k.mp3", sampleRateHz: 44_100, channels: 2, tolerance: 0.07 },
  { ...mp3, file: "mp3-vbr-id3-mono-22k.mp3", sampleRateHz: 22_050, channels: 1, tolerance: 0.01 },
  // Of the delay of 481 samples nothing is noted, and the encoder lets the last 184 of the audio go.
  {
    ...mp3,
    file: "mp2-stereo-44k.mp2",
    sampleRateHz: 44_100,
    channels: 2,
    tolerance: 0.18,
    delaySamples: 481,
    extraSamples: 297,
  },
]);
