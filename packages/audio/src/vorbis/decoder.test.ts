import { describeAudioDecoder } from "../testing/describe-audio-decoder.ts";

describeAudioDecoder([
  { file: "ogg-vorbis-stereo-44k.ogg", format: "ogg-vorbis", sampleRateHz: 44_100, channels: 2, tolerance: 0.03 },
  { file: "ogg-vorbis-mono-22k.ogg", format: "ogg-vorbis", sampleRateHz: 22_050, channels: 1, tolerance: 0.03 },
]);
