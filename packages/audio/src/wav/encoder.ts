import { HiggsError } from "@higgs-worker/base";
import type { AudioEncoder, EncodeOptions } from "../audio-encoder.ts";
import { floatToPcm16, pcm16ToBytes } from "../pcm16.ts";

/** RIFF header, `fmt ` chunk and `data` header of a PCM file. */
const WAV_HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;

/** RIFF sizes have 32 bits; larger files would need RF64, which many players cannot read. */
const MAX_SAMPLES = Math.floor((2 ** 32 - 1 - WAV_HEADER_BYTES) / BYTES_PER_SAMPLE);

/** Takes about 80 ms, so it is loaded on the first use. */
const loadLibrary = () => import("mediabunny");

/** WAV, PCM16, mono: byte for byte the file that `soundfile.write` makes of the same floats. */
export const wavEncoder: AudioEncoder = {
  format: "wav",
  mimeType: "audio/wav",
  fileExtension: "wav",
  maxEncodedBytes: (sampleCount) => WAV_HEADER_BYTES + sampleCount * BYTES_PER_SAMPLE,
  warmUp: async () => void (await loadLibrary()),
  encode: encodeWav,
};

async function encodeWav(pcm: Float32Array, options: EncodeOptions): Promise<Uint8Array> {
  if (pcm.length === 0) throw new HiggsError("GENERATION_FAILED", "encode WAV", "it has no samples");
  if (pcm.length > MAX_SAMPLES) {
    throw new HiggsError(
      "RESULT_TOO_LARGE",
      "encode WAV",
      `the file would exceed 4 GiB (got ${pcm.length} samples, limit ${MAX_SAMPLES})`,
    );
  }
  const { BufferTarget, EncodedAudioPacketSource, EncodedPacket, Output, WavOutputFormat } = await loadLibrary();
  const target = new BufferTarget();
  const output = new Output({ format: new WavOutputFormat(), target });
  const source = new EncodedAudioPacketSource("pcm-s16");
  output.addAudioTrack(source);
  await output.start();
  const samples = pcm16ToBytes(floatToPcm16(pcm));
  const packet = new EncodedPacket(samples, "key", 0, pcm.length / options.sampleRateHz);
  await source.add(packet, {
    decoderConfig: { codec: "pcm-s16", numberOfChannels: 1, sampleRate: options.sampleRateHz },
  });
  await output.finalize();
  if (target.buffer === null) throw new HiggsError("INTERNAL", "encode WAV", "the file was not finished");
  return new Uint8Array(target.buffer);
}
