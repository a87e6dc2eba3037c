import { ByteGatherer } from "runpod-worker/network";

/** Parts of a body as they come, of a web stream or a stream of Node. */
export type Body = AsyncIterable<Uint8Array>;

export interface BodyLimits {
  readonly maxBytes: number;
  /** Given each part as it comes, and the count of the bytes up to its end. */
  readonly onPart?: ((part: Uint8Array, byteCount: number) => void) | undefined;
}

/**
 * The one way in which bodies come in from the network: part by part, up to a limit, beyond which the connection is closed.
 * The time is limited by the signal that the request was made with. The generator's result is false when there was more.
 *
 * @throws what the connection throws when it breaks or is aborted, or what `onPart` throws; the connection is closed then too.
 */
export async function* readParts(body: Body | null, limits: BodyLimits): AsyncGenerator<Uint8Array, boolean> {
  let byteCount = 0;
  // Leaving the loop early, in whatever way, cancels a stream of either kind and with it the connection.
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

/** `readParts`, gathered in memory. */
export async function readBody(body: Body | null, limits: BodyLimits): Promise<ReadBody> {
  const gathered = new ByteGatherer();
  const parts = readParts(body, limits);
  for (;;) {
    const { done, value } = await parts.next();
    if (done === true) return { bytes: gathered.concat(), isWhole: value };
    gathered.add(value);
  }
}
