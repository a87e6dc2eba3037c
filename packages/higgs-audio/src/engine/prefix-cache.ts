import { createHash } from "node:crypto";
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
 * Keys and values of prompt beginnings (system and reference turns) in host memory, by the hash of their rows. They depend on
 * nothing but those rows, so they can be copied into any slot instead of being computed again. The least recently used make
 * room for new ones.
 */
export class PrefixCache {
  readonly #budgetBytes: number;
  /** In the order of use, the last one last. */
  readonly #entries = new Map<string, Uint8Array>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get counts(): { readonly hits: number; readonly misses: number } {
    return { hits: this.#hits, misses: this.#misses };
  }

  /** Bytes that are kept now, never more than the budget. */
  get byteLength(): number {
    return this.#bytes;
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
    this.#entries.delete(key);
    this.#entries.set(key, found);
    return found;
  }

  #keep(key: string, save: () => Uint8Array): void {
    if (this.#entries.has(key) || this.#budgetBytes === 0) return;
    const bytes = save();
    if (bytes.byteLength > this.#budgetBytes) return;
    for (const [oldest, kept] of this.#entries) {
      if (this.#bytes + bytes.byteLength <= this.#budgetBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= kept.byteLength;
    }
    this.#entries.set(key, bytes);
    this.#bytes += bytes.byteLength;
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
