import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

/** What a cut file has is taken, with a warning. */
const wav = { format: "wav", channels: 1, noticesTruncation: false } as const;

describeAudioDecoder([
  { ...wav, file: "wav-u8-mono-16k.wav", sampleRateHz: 16_000, tolerance: 0.02 },
  { ...wav, file: "wav-s16-stereo-16k.wav", sampleRateHz: 16_000, channels: 2, tolerance: 1e-4 },
  { ...wav, file: "wav-s16-surround-8k.wav", sampleRateHz: 8_000, channels: 6, tolerance: 3e-4 },
  { ...wav, file: "wav-s24-mono-16k.wav", sampleRateHz: 16_000, tolerance: 1e-6 },
  { ...wav, file: "wav-s24-extensible-mono-16k.wav", sampleRateHz: 16_000, tolerance: 1e-6 },
  { ...wav, file: "wav-s32-extensible-mono-8k.wav", sampleRateHz: 8_000, tolerance: 1e-7 },
  { ...wav, file: "wav-f32-stereo-8k.wav", sampleRateHz: 8_000, channels: 2, tolerance: 1e-7 },
  { ...wav, file: "wav-f32-extensible-stereo-8k.wav", sampleRateHz: 8_000, channels: 2, tolerance: 1e-7 },
  { ...wav, file: "wav-f64-extensible-mono-8k.wav", sampleRateHz: 8_000, tolerance: 1e-7 },
  { ...wav, file: "wav-mulaw-mono-8k.wav", sampleRateHz: 8_000, tolerance: 0.02 },
  { ...wav, file: "wav-alaw-stereo-8k.wav", sampleRateHz: 8_000, channels: 2, tolerance: 0.02 },
  // ffmpeg does not say how many samples of the last block count.
  { ...wav, file: "wav-ima-stereo-16k.wav", sampleRateHz: 16_000, channels: 2, tolerance: 0.08, extraSamples: 90 },
  { ...wav, file: "wav-msadpcm-stereo-16k.wav", sampleRateHz: 16_000, channels: 2, tolerance: 0.04, extraSamples: 40 },
  {
    ...wav,
    file: "wav-mp3-stereo-44k.wav",
    sampleRateHz: 44_100,
    channels: 2,
    tolerance: 0.07,
    delaySamples: 1_105,
    extraSamples: 1_449,
  },
]);
