import { HiggsError } from "@higgs-worker/base";
import type { AudioEncoder } from "../audio-encoder.ts";
import { floatToPcm16, pcm16ToBytes } from "../pcm16.ts";

const BYTES_PER_SAMPLE = 2;

/** The WAV file's samples without its header: 16-bit little-endian, mono. The reader has to know the rate. */
export const pcmEncoder: AudioEncoder = {
  format: "pcm",
  // No type is registered for it (audio/L16 is big-endian); this is what other speech services send.
  mimeType: "audio/pcm",
  fileExtension: "pcm",
  maxEncodedBytes: (sampleCount) => sampleCount * BYTES_PER_SAMPLE,
  warmUp: () => Promise.resolve(),
  encode: async (pcm) => {
    if (pcm.length === 0) throw new HiggsError("GENERATION_FAILED", "encode PCM", "it has no samples");
    return pcm16ToBytes(floatToPcm16(pcm));
  },
};
