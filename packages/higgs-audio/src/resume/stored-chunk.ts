import { createHash } from "node:crypto";
import type { Codes } from "../prompt/messages.ts";

/** What is kept of one sequence of the model. */
export interface StoredPart {
  /** `codes[codebook][frame]`, values 0 … 65535. */
  readonly codes: Codes;
  /** What else the speech needs of it; plain JSON. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A planned chunk as it was spoken: one part, or several where it had to be split. */
export interface StoredChunk {
  readonly parts: readonly StoredPart[];
}

/** Which chunk of which speech. */
export interface ChunkKey {
  /** Hash of everything that decides the codes of the speech (`hashSpeech`), 64 hexadecimal digits. */
  readonly speech: string;
  /** Of the plan, from 0. */
  readonly index: number;
  /**
   * Hash of the chunks before it (`chainHash`): a chunk that followed other speech is another chunk, even where the same request was
   * spoken twice with different results.
   */
  readonly after: string;
}

/**
 * Where finished chunks are kept, so that the same speech goes on behind them after its process has ended. Nothing depends on it:
 * what cannot be kept is spoken again.
 */
export interface ChunkStore {
  /** The chunk, or null when it is not there or not usable. Never rejects. */
  load(key: ChunkKey): Promise<StoredChunk | null>;
  /** Keeps a chunk in place of any that had the same `speech` and `index`. Never rejects. */
  save(key: ChunkKey, chunk: StoredChunk): Promise<void>;
}

/** Raised when the same request gives other codes, or the facts of a part change. */
const SPEECH_VERSION = 1;

/** Hash of a speech: `parts` are JSON, and everything that decides its codes. */
export function hashSpeech(parts: readonly unknown[]): string {
  return createHash("sha256")
    .update(JSON.stringify([SPEECH_VERSION, ...parts]))
    .digest("hex");
}

/** `ChunkKey.after` of the chunk behind `chunk`, whose own was `after`; the first chunk's is the speech's hash. */
export function chainHash(after: string, { parts }: StoredChunk): string {
  const hash = createHash("sha256").update(after);
  for (const { codes } of parts) {
    hash.update(`${codes.length} ${codes[0]?.length ?? 0}\n`);
    for (const row of codes) hash.update(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
  }
  return hash.digest("hex");
}
