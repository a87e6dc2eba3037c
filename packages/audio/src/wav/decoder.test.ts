import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

const wav = { format: "wav", channels: 1 } as const;

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
]);
