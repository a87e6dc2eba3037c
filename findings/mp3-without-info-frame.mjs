// An MP3 stream from LAME decodes late and too long, since nothing in it says how much padding was added.
// packages: wasm-media-encoders@0.7.0 mpg123-decoder@1.0.3
//
// The encoder puts 576 samples in front and fills the last frame; the decoder adds 529 of its own. Only the LAME part of a first frame
// called "Info" says how many to drop, and JavaScript encoders do not write it. A click at sample 6000 shows the shift.
import { createMp3Encoder } from "wasm-media-encoders";
import { MPEGDecoder } from "mpg123-decoder";

const RATE = 24_000;
const CLICK = 6_000;
const samples = new Float32Array(RATE);
samples[CLICK] = 1;

const encoder = await createMp3Encoder();
encoder.configure({ sampleRate: RATE, channels: 1, bitrate: 64 });
const parts = [encoder.encode([samples]).slice(), encoder.finalize().slice()];
const decoder = new MPEGDecoder();
await decoder.ready;
const decoded = decoder.decode(Buffer.concat(parts));
const heard = decoded.channelData[0];

let peak = 0;
for (let at = 0; at < heard.length; at++) if (Math.abs(heard[at]) > Math.abs(heard[peak])) peak = at;
console.log(`encoded ${samples.length} samples, decoded ${heard.length}`);
console.log(`the click was at ${CLICK} and is at ${peak}: ${peak - CLICK} samples late`);
const holds = peak - CLICK === 1105 && heard.length > samples.length;
console.log(holds ? "still so" : "no longer so");
process.exit(holds ? 0 : 1);
