import { createHash } from "node:crypto";
import { LruCache } from "@higgs-worker/base";
import type { PromptRows } from "../model/prompt-rows.ts";

/** The beginning of one prompt, as the cache knows it. */
export interface SharedPrefix {
  readonly rowCount: number;
  /** What was kept for these rows, or null. Counts as use. */
  find(): Uint8Array | null;
  /** Keeps what `save` gives, unless it is larger than the whole budget. */
  keep(save: () => Uint8Array): void;
}

/**
 * Keys and values of prompt beginnings (system and reference turns) in host memory, by the hash of their rows. They depend
 * only on those rows, so they can be copied into any slot instead of being computed again. The least recently used make
 * room for new ones.
 */
export class PrefixCache {
  readonly #budgetBytes: number;
  readonly #entries: LruCache<string, Uint8Array>;
  #hits = 0;
  #misses = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
    this.#entries = new LruCache({ maxSize: budgetBytes, sizeOf: ({ byteLength }) => byteLength });
  }

  get counts(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#hits, misses: this.#misses };
  }

  /** Bytes that are kept now, never more than the budget. */
  get byteLength(): number {
    return this.#entries.size;
  }

  /** The first `rowCount` rows of a prompt; null when there are none. At least one row must follow them. */
  open(prompt: PromptRows, rowCount: number): SharedPrefix | null {
    if (rowCount <= 0 || rowCount >= prompt.isAudio.length) return null;
    const key = hashRows(prompt, rowCount);
    return { rowCount, find: () => this.#find(key), keep: (save) => this.#keep(key, save) };
  }

  #find(key: string): Uint8Array | null {
    const found = this.#entries.get(key);
    if (found === undefined) {
      this.#misses += 1;
      return null;
    }
    this.#hits += 1;
    return found;
  }

  #keep(key: string, save: () => Uint8Array): void {
    if (this.#budgetBytes > 0 && !this.#entries.has(key)) this.#entries.set(key, save());
  }
}

function hashRows({ isAudio, textIds, columnIds }: PromptRows, rowCount: number): string {
  const flags = isAudio.subarray(0, rowCount);
  const audioCount = flags.reduce((sum, flag) => sum + flag, 0);
  const columnCount = isAudio.reduce((sum, flag) => sum + flag, 0);
  const codebooks = columnCount === 0 ? 0 : columnIds.length / columnCount;
  return createHash("sha256")
    .update(flags)
    .update(textIds.subarray(0, rowCount - audioCount))
    .update(columnIds.subarray(0, audioCount * codebooks))
    .digest("base64");
}
