/** One file to store. */
export interface StoreRequest {
  /** Name within the store, `/` between folders. */
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly mimeType: string;
  /** SHA-256 of `bytes`, lower-case hex. */
  readonly sha256: string;
}

export interface StoredObject {
  /** Where it is: `s3://bucket/key` or `file:///…`. */
  readonly url: string;
  /** A URL that anyone can fetch for a while, if the store can make one. */
  readonly downloadUrl: string | null;
}

/**
 * Stores finished files. Either the whole object is stored, or the call throws and nothing is. Every
 * implementation passes `describeObjectStore`.
 */
export interface ObjectStore {
  /**
   * Checks in advance, as far as possible, whether an object of that name could be stored.
   *
   * @throws {HiggsError} as `put` does
   */
  check(key: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** @throws {HiggsError} STORAGE_* when it cannot be kept, CANCELLED when the signal fires */
  put(request: StoreRequest, options?: { readonly signal?: AbortSignal | undefined }): Promise<StoredObject>;
}
