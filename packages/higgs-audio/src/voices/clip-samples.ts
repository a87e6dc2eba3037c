import { createHash } from "node:crypto";

/** A clip by its content. */
export interface ClipSamples {
  /** Mono Float32 at 24 kHz, or how to get them: asked only when no codes are cached for `hash`. */
  readonly samples: Float32Array | (() => Promise<Float32Array>);
  /** `hashSamples` of them: equal hashes mean equal codes. */
  readonly hash: string;
}

export function clipSamples(samples: Float32Array): ClipSamples {
  return { samples, hash: hashSamples(samples) };
}

/** SHA-256 of samples as they lie in memory, in hex. */
export function hashSamples(samples: Float32Array): string {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  return createHash("sha256").update(bytes).digest("hex");
}
