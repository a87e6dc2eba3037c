import type { AudioEncoder, EncodeOptions } from "./audio-encoder.ts";
import { joinBytes } from "./join-bytes.ts";

/** Samples given to an encoder at a time, to bound what it copies. */
const BLOCK_SAMPLES = 65_536;

/** `AudioEncoder.encode` by way of its stream. */
export async function encodeWhole(
  openStream: AudioEncoder["openStream"],
  pcm: Float32Array,
  options: EncodeOptions,
): Promise<Uint8Array> {
  const stream = await openStream({ ...options, purpose: "file" });
  try {
    const parts: Uint8Array[] = [];
    for (let start = 0; start < pcm.length; start += BLOCK_SAMPLES) {
      parts.push(await stream.write(pcm.subarray(start, start + BLOCK_SAMPLES)));
    }
    const { tail, head } = await stream.end();
    const file = joinBytes([...parts, tail]);
    if (head !== null) file.set(head);
    return file;
  } finally {
    stream.close();
  }
}
