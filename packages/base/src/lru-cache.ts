export interface LruCacheOptions<K, V> {
  /** Default: no limit. */
  readonly maxEntries?: number;
  /** Default: no limit. In the unit of `sizeOf`. */
  readonly maxSize?: number;
  /** Share of `maxSize` that an entry takes. */
  readonly sizeOf?: (value: V, key: K) => number;
  /** Called for every entry that is removed, for any reason. */
  readonly onDrop?: (value: V, key: K) => void;
}

/** A map of bounded count and size; the entries used least recently make room for new ones. */
export class LruCache<K, V> {
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #sizeOf: (value: V, key: K) => number;
  readonly #onDrop: (value: V, key: K) => void;
  /** In the order of use, the last one last. */
  readonly #entries = new Map<K, { readonly value: V; readonly size: number }>();
  #size = 0;

  constructor(options: LruCacheOptions<K, V>) {
    const { maxEntries = Infinity, maxSize = Infinity, sizeOf = () => 0, onDrop = () => undefined } = options;
    this.#maxEntries = maxEntries;
    this.#maxSize = maxSize;
    this.#sizeOf = sizeOf;
    this.#onDrop = onDrop;
  }

  get count(): number {
    return this.#entries.size;
  }

  /** Sum of all entries' sizes, never more than `maxSize`. */
  get size(): number {
    return this.#size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** The value, which counts as use; undefined when there is none. */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value, replacing one with the same key. False, and no other entry is dropped, when it alone exceeds the limits. */
  set(key: K, value: V): boolean {
    this.delete(key);
    const size = this.#sizeOf(value, key);
    if (size > this.#maxSize || this.#maxEntries < 1) return false;
    this.makeRoom(size);
    this.#entries.set(key, { value, size });
    this.#size += size;
    return true;
  }

  /** Drops entries until one more of that size fits: before making a value that is large itself. */
  makeRoom(size: number): void {
    for (const key of this.#entries.keys()) {
      if (this.#size + size <= this.#maxSize && this.#entries.size < this.#maxEntries) return;
      this.delete(key);
    }
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#size -= entry.size;
    this.#onDrop(entry.value, key);
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key);
  }

  *values(): Generator<V, void, undefined> {
    for (const { value } of this.#entries.values()) yield value;
  }
}
