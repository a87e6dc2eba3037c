/** One file to keep. */
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
  /** An address that anybody can fetch for a while, where the store can make one. */
  readonly downloadUrl: string | null;
}

/**
 * Keeps finished files. Either the whole object is there afterwards, or the call throws and nothing of it is. Every
 * implementation passes `describeObjectStore`.
 */
export interface ObjectStore {
  /**
   * Finds out, before there is anything to keep, whether an object of that name could be kept, as far as that can be known.
   *
   * @throws HiggsError as `put`.
   */
  check(key: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * @throws HiggsError STORAGE_DENIED, STORAGE_NOT_CONFIGURED or STORAGE_FAILED, and CANCELLED when the signal fires.
   */
  put(request: StoreRequest, options?: { readonly signal?: AbortSignal | undefined }): Promise<StoredObject>;
}
