import type { AudioDecoder } from "../decoder/audio-decoder.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { WasmCodec, type WasmDecoded } from "./wasm-codec.ts";

/** A frame that is only a 7-byte header decodes to 2048 samples, so slices between duration checks stay this small. */
const SLICE_BYTES = 1_024;

/** AAC as a bare stream, ADTS or LATM: LC, HE and HE v2. */
export const aacDecoder: AudioDecoder = { decode: decodeAac };

async function decodeAac(bytes: Uint8Array, pcm: PcmSink): Promise<void> {
  const codec = await WasmCodec.open("aac-stream", new Uint8Array(0));
  const take = beginAtFirst(pcm);
  for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
    take(codec.decode(bytes.subarray(start, start + SLICE_BYTES)));
  }
  take(codec.finish());
}

/** The rate is only known after the first frame: HE-AAC doubles it. */
export function beginAtFirst(pcm: PcmSink): (decoded: WasmDecoded) => void {
  let hasBegun = false;
  return ({ sampleRateHz, channelData }) => {
    if (channelData.length === 0) return;
    if (!hasBegun) pcm.begin(sampleRateHz, channelData.length);
    hasBegun = true;
    pcm.push(channelData);
  };
}
