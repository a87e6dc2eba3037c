import type { PreparedAudio } from "./prepare-clip.ts";

/** Decoded clips by the hash of their files; those used least recently go first. */
export class ClipCache {
  readonly #maxBytes: number;
  readonly #clips = new Map<string, PreparedAudio>();
  #bytes = 0;

  /** `maxBytes` of samples are kept; ten seconds take 1 MB. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(hash: string): PreparedAudio | null {
    const clip = this.#clips.get(hash);
    if (clip === undefined) return null;
    this.#clips.delete(hash);
    this.#clips.set(hash, clip);
    return clip;
  }

  /** Keeps a clip and gives it back. */
  keep(hash: string, clip: PreparedAudio): PreparedAudio {
    this.#drop(hash);
    this.#clips.set(hash, clip);
    this.#bytes += clip.pcm.byteLength;
    for (const oldest of this.#clips.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
    return clip;
  }

  #drop(hash: string): void {
    this.#bytes -= this.#clips.get(hash)?.pcm.byteLength ?? 0;
    this.#clips.delete(hash);
  }
}
