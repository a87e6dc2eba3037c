// LAME in WebAssembly makes audio 5 % quieter (0.45 dB) at the usual bit rates.
// packages: wasm-media-encoders@0.7.0 mpg123-decoder@1.0.3
//
// LAME's table of settings for constant bit rates has a scale of 0.95, against decoders that clip. So an MP3 is not as loud as the WAV
// of the same audio, and loudness that was normalized to a target is 0.45 LU below it. Divide the samples by 0.95 first.
import { createMp3Encoder } from "wasm-media-encoders";
import { MPEGDecoder } from "mpg123-decoder";

const RATE = 24_000;
const tone = Float32Array.from({ length: 2 * RATE }, (_, i) => 0.3 * Math.sin((2 * Math.PI * 440 * i) / RATE));
const encoder = await createMp3Encoder();
const gains = [];
for (const bitrate of [32, 64, 96, 128]) {
  encoder.configure({ channels: 1, sampleRate: RATE, outputSampleRate: RATE, bitrate });
  const bytes = Buffer.concat([encoder.encode([tone]).slice(), encoder.finalize().slice()]);
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const [decoded] = decoder.decode(bytes).channelData;
  decoder.free();
  const level = (samples) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  const gain = level(decoded.subarray(RATE / 2, RATE)) / level(tone.subarray(RATE / 2, RATE));
  gains.push(gain);
  console.log(`${bitrate} kbit/s: gain ${gain.toFixed(3)}`);
}
const holds = gains.some((gain) => Math.abs(gain - 0.95) < 0.005);
console.log(holds ? "still so" : "no longer so");
process.exitCode = holds ? 0 : 1;
