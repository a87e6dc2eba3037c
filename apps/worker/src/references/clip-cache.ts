import { LruCache } from "@higgs-worker/base";
import type { PreparedAudio } from "./prepare-clip.ts";

/** Decoded clips by the hash of their files; the least recently used are dropped first. */
export class ClipCache {
  readonly #clips: LruCache<string, PreparedAudio>;

  /** `maxBytes` of samples are kept; ten seconds take 1 MB. */
  constructor(maxBytes: number) {
    this.#clips = new LruCache({ maxSize: maxBytes, sizeOf: ({ pcm }) => pcm.byteLength });
  }

  get bytes(): number {
    return this.#clips.size;
  }

  get(hash: string): PreparedAudio | null {
    return this.#clips.get(hash) ?? null;
  }

  /** Keeps a clip and gives it back. */
  keep(hash: string, clip: PreparedAudio): PreparedAudio {
    this.#clips.set(hash, clip);
    return clip;
  }
}
