import { ByteGatherer } from "runpod-worker/network";

/** A body's chunks, from a web stream or a Node stream. */
export type Body = AsyncIterable<Uint8Array>;

export interface BodyLimits {
  readonly maxBytes: number;
  /** Called with each part and the number of bytes so far. */
  readonly onPart?: ((part: Uint8Array, byteCount: number) => void) | undefined;
}

/**
 * Reads a network body part by part up to a limit, beyond which the connection is closed. The request's signal limits the
 * time. The generator returns false when there was more.
 *
 * @throws {Error} of a broken or aborted connection, or of `onPart`; the connection is closed then too
 */
export async function* readParts(body: Body | null, limits: BodyLimits): AsyncGenerator<Uint8Array, boolean> {
  let byteCount = 0;
  // Leaving the loop early cancels either kind of stream, and with it the connection.
  for await (const part of body ?? []) {
    const room = limits.maxBytes - byteCount;
    byteCount += Math.min(part.byteLength, room);
    if (part.byteLength > room) {
      if (room > 0) yield part.subarray(0, room);
      return false;
    }
    limits.onPart?.(part, byteCount);
    yield part;
  }
  return true;
}

export interface ReadBody {
  /** The first `maxBytes` bytes at most. */
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

/** `readParts`, collected in memory. */
export async function readBody(body: Body | null, limits: BodyLimits): Promise<ReadBody> {
  const gathered = new ByteGatherer();
  const parts = readParts(body, limits);
  for (;;) {
    const { done, value } = await parts.next();
    if (done === true) return { bytes: gathered.concat(), isWhole: value };
    gathered.add(value);
  }
}
