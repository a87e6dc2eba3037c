/** Bytes of a file that is finished, or still grows. */
export interface AudioSource {
  /** Bytes so far. */
  readonly size: number;
  /** The bytes from `start` to before `end`, which is at most `size`. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/** A finished file in memory. */
export function bytesSource(bytes: Uint8Array): AudioSource {
  return { size: bytes.byteLength, read: async (start, end) => bytes.subarray(start, end) };
}

/** The object that a file becomes. */
export interface ObjectDescription {
  /** Name within the store, `/` between folders. */
  readonly key: string;
  readonly mimeType: string;
  /** Facts that a store may keep with the object, by name. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** One finished file to store. */
export interface StoreRequest extends ObjectDescription {
  readonly audio: AudioSource;
  /** SHA-256 of all bytes, lower-case hex. */
  readonly sha256: string;
}

export interface StoredObject {
  /** Where it is: `s3://bucket/key`, `file:///…` or `https://…`. */
  readonly url: string;
  /** A URL that anyone can fetch for a while, if the store can make one. */
  readonly downloadUrl: string | null;
  /** What whoever runs the worker should change. */
  readonly warnings?: readonly string[];
}

export interface UploadProgress {
  /** Bytes that the store has. */
  readonly bytes: number;
  /** Parts that the store has; one for a file that is stored in one piece. */
  readonly parts: number;
}

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** A file that is stored while it grows. */
export interface GrowingUpload {
  /** Called when the file has grown; parts of it that cannot change are sent from now on. Never throws. */
  grown(): void;
  /**
   * Stores what is missing, and gives the file its name. Its first bytes may have changed meanwhile.
   *
   * @throws {HiggsError} as `ObjectStore.put`; nothing is left at the store then
   */
  finish(sha256: string): Promise<StoredObject>;
  /** Gives up; nothing is left at the store. Never rejects, and does nothing after `finish`. */
  abort(): Promise<void>;
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
  check(key: string, options?: Pick<StoreOptions, "signal">): Promise<void>;
  /** @throws {HiggsError} STORAGE_* when it cannot be kept, CANCELLED when the signal fires */
  put(request: StoreRequest, options?: StoreOptions): Promise<StoredObject>;
  /** Begins to store a file that still grows; a store that takes only whole files has none. */
  begin?(object: ObjectDescription, audio: AudioSource, options?: StoreOptions): GrowingUpload;
}
