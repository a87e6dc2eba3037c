import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

/** Bare streams do not say what of them is the encoder's delay. */
const aac = { format: "aac", delaySamples: 1_024, noticesTruncation: false } as const;

describeAudioDecoder([
  {
    ...aac,
    file: "aac-adts-stereo-44k.aac",
    sampleRateHz: 44_100,
    channels: 2,
    tolerance: 0.13,
    peakTolerance: 0.3,
    extraSamples: 1_577,
  },
  {
    ...aac,
    file: "aac-latm-mono-22k.latm",
    sampleRateHz: 22_050,
    channels: 1,
    tolerance: 0.1,
    peakTolerance: 0.1,
    extraSamples: 1_812,
  },
]);
