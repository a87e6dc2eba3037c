import type { FinishReason } from "../engine/column-generator.ts";
import type { SpeechPlan } from "../prompt/speech-plan.ts";
import {
  chainHash,
  type ChunkKey,
  type ChunkStore,
  hashSpeech,
  type StoredChunk,
  type StoredPart,
} from "../resume/stored-chunk.ts";
import type { ResolvedSpeechRequest } from "./speech-request.ts";
import type { SpokenPart } from "./spoken-part.ts";

/** Speech of fewer chunks is over before another worker would have taken it up. */
const MIN_CHUNKS = 3;

/** What is kept of a part besides its codes. */
interface PartFacts extends Pick<SpokenPart, "chunk" | "inspection"> {
  readonly finished: FinishReason;
  readonly columnLimit: number;
  readonly promptTokens: number;
  /** How many. */
  readonly attempts: number;
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

  /** The next chunk of the plan as it was kept; null when it has to be spoken. Then `add` it. */
  async find(): Promise<readonly SpokenPart[] | null> {
    if (this.#store === null) return null;
    const kept = await this.#store.load(this.#key);
    if (kept === null) return null;
    this.resumed += 1;
    this.#advance(kept);
    return kept.parts.map(fromStored);
  }

  /** Keeps the chunk that was not found. */
  add(parts: readonly SpokenPart[]): void {
    if (this.#store === null) return;
    const chunk = { parts: parts.map(toStored) };
    // The next chunk need not wait for the disk.
    this.#saving = Promise.all([this.#saving, this.#store.save(this.#key, chunk)]);
    this.#advance(chunk);
  }

  get #key(): ChunkKey {
    return { speech: this.#speech, index: this.#index, after: this.#after };
  }

  #advance(chunk: StoredChunk): void {
    this.#after = chainHash(this.#after, chunk);
    this.#index += 1;
  }

  /** Waits until all chunks are kept. Never rejects. */
  async settle(): Promise<void> {
    await this.#saving;
  }
}

function toStored({ chunk, generated, inspection, attempts }: SpokenPart): StoredPart {
  const { codes, finished, columnLimit, promptTokens } = generated;
  const facts: PartFacts = { chunk, finished, columnLimit, promptTokens, inspection, attempts: attempts.count };
  return { codes, facts: { ...facts } };
}

function fromStored({ codes, facts }: StoredPart): SpokenPart {
  // The version in the speech's hash says that these are the facts.
  const { chunk, finished, columnLimit, promptTokens, inspection, attempts } = facts as unknown as PartFacts;
  const generated = {
    codes,
    finished,
    columnLimit,
    promptTokens,
    columns: new Int32Array(0),
    prefix: null,
    prefillMs: 0,
    generateMs: 0,
  };
  return { chunk, generated, inspection, attempts: { count: attempts, wastedMs: 0 } };
}
