import type { AudioEncoder, AudioEncoderStream } from "./audio-encoder.ts";
import { joinBytes } from "./join-bytes.ts";

/** Samples given to an encoder at a time, to bound what it copies. */
const BLOCK_SAMPLES = 65_536;

interface EncodedFile {
  readonly bytes: Uint8Array;
  /** Samples of the file, at its sample rate. */
  readonly sampleCount: number;
}

/** The samples in blocks of a size that encoders copy easily. */
export function* blocksOf(pcm: Float32Array): Generator<Float32Array> {
  for (let start = 0; start < pcm.length; start += BLOCK_SAMPLES) yield pcm.subarray(start, start + BLOCK_SAMPLES);
}

/** A whole file by way of a stream, which is closed in any case. */
async function encodeWhole(opening: Promise<AudioEncoderStream>, pcm: Float32Array): Promise<EncodedFile> {
  const stream = await opening;
  try {
    const parts: Uint8Array[] = [];
    for (const block of blocksOf(pcm)) parts.push(await stream.write(block));
    const { tail, head, sampleCount } = await stream.end();
    const bytes = joinBytes([...parts, tail]);
    if (head !== null) bytes.set(head);
    return { bytes, sampleCount };
  } finally {
    stream.close();
  }
}

/** `AudioEncoder.encode` by way of the encoder's stream. */
export function encodeWith(openStream: AudioEncoder["openStream"]): AudioEncoder["encode"] {
  return async (pcm, options) => (await encodeWhole(openStream({ ...options, purpose: "file" }), pcm)).bytes;
}
