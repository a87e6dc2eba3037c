import type { FinishReason } from "../engine/column-generator.ts";
import type { SpeechPlan } from "../prompt/speech-plan.ts";
import { chainHash, type ChunkStore, hashSpeech, type StoredChunk, type StoredPart } from "../resume/stored-chunk.ts";
import type { GeneratedChunk } from "./chunk-speaker.ts";
import type { ResolvedSpeechRequest } from "./speech-request.ts";

/** Speech of fewer chunks is over before another worker would have taken it up. */
const MIN_CHUNKS = 3;

/** What is kept of a chunk besides its codes. */
interface ChunkFacts {
  readonly finished: FinishReason;
  readonly columnLimit: number;
  readonly promptTokens: number;
}

/** The chunks of one speech in the order of its plan, each from a store if that has it. */
export class FinishedChunks {
  readonly #store: ChunkStore | null;
  readonly #speech: string;
  #after: string;
  #index = 0;
  #saving: Promise<unknown> = Promise.resolve();
  /** Chunks that came from the store. */
  resumed = 0;

  private constructor(store: ChunkStore | null, speech: string) {
    this.#store = store;
    this.#speech = speech;
    this.#after = speech;
  }

  /**
   * @param fingerprint of the model and what computes it
   * @param store undefined keeps nothing; so does a speech that is short, or that goes on from another one
   */
  static of(
    request: ResolvedSpeechRequest,
    plan: Pick<SpeechPlan, "chunks">,
    fingerprint: string,
    store: ChunkStore | undefined,
  ): FinishedChunks {
    if (store === undefined || request.earlier !== null || plan.chunks.length < MIN_CHUNKS)
      return new FinishedChunks(null, "");
    // A clip is its hash and what is said in it.
    const references = request.references.map((reference) =>
      reference.kind === "clip" ? { hash: reference.hash, transcript: reference.transcript } : reference,
    );
    return new FinishedChunks(store, hashSpeech([fingerprint, { ...request, references }, plan.chunks]));
  }

  /** The next chunk of the plan: as it was kept, or as `speak` makes it, which is kept then. */
  async next(
    speak: () => Promise<readonly GeneratedChunk[]>,
  ): Promise<{ readonly parts: readonly GeneratedChunk[]; readonly isResumed: boolean }> {
    const store = this.#store;
    if (store === null) return { parts: await speak(), isResumed: false };
    const key = { speech: this.#speech, index: this.#index, after: this.#after };
    const kept = await store.load(key);
    const parts = kept === null ? await speak() : kept.parts.map(fromStored);
    const chunk = kept ?? { parts: parts.map(toStored) };
    this.#after = chainHash(this.#after, chunk);
    this.#index += 1;
    if (kept !== null) this.resumed += 1;
    // The next chunk need not wait for the disk.
    else this.#saving = Promise.all([this.#saving, store.save(key, chunk)]);
    return { parts, isResumed: kept !== null };
  }

  /** Waits until all chunks are kept. Never rejects. */
  async settle(): Promise<void> {
    await this.#saving;
  }
}

function toStored({ codes, finished, columnLimit, promptTokens }: GeneratedChunk): StoredPart {
  const facts: ChunkFacts = { finished, columnLimit, promptTokens };
  return { codes, facts: { ...facts } };
}

function fromStored({ codes, facts }: StoredChunk["parts"][number]): GeneratedChunk {
  // The version in the speech's hash says that these are the facts.
  const { finished, columnLimit, promptTokens } = facts as unknown as ChunkFacts;
  return {
    codes,
    finished,
    columnLimit,
    promptTokens,
    columns: new Int32Array(0),
    prefix: null,
    prefillMs: 0,
    generateMs: 0,
  };
}
