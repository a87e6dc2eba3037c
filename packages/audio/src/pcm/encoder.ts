import { HiggsError } from "@higgs-worker/base";
import type { AudioEncoder, AudioEncoderStream } from "../audio-encoder.ts";
import { encodeWith } from "../encode-whole.ts";
import { floatToPcm16, pcm16ToBytes } from "../pcm16.ts";
import { SAMPLE_RATES_HZ } from "../sample-rates.ts";

const BYTES_PER_SAMPLE = 2;

/** The WAV file's samples without its header: 16-bit little-endian, mono. The reader has to know the rate. */
export const pcmEncoder: AudioEncoder = {
  format: "pcm",
  // No type is registered for it (audio/L16 is big-endian); this is what other speech services send.
  mimeType: "audio/pcm",
  fileExtension: "pcm",
  sampleRatesHz: SAMPLE_RATES_HZ,
  minEncodedBytes: (sampleCount) => sampleCount * BYTES_PER_SAMPLE,
  maxEncodedBytes: (sampleCount) => sampleCount * BYTES_PER_SAMPLE,
  warmUp: () => Promise.resolve(),
  openStream,
  encode: encodeWith(openStream),
};

async function openStream(): Promise<AudioEncoderStream> {
  let sampleCount = 0;
  return {
    write: async (pcm) => {
      sampleCount += pcm.length;
      return pcm16ToBytes(floatToPcm16(pcm));
    },
    end: async () => {
      if (sampleCount === 0) throw new HiggsError("GENERATION_FAILED", "encode PCM", "it has no samples");
      return { tail: new Uint8Array(0), head: null, sampleCount };
    },
    close: () => undefined,
  };
}
