import { HiggsError } from "@higgs-worker/base";
import { PrefixCache } from "./prefix-cache.ts";
import { planStep } from "./plan-step.ts";
import {
  type GeneratedSequence,
  Sequence,
  type SequenceListeners,
  type SequenceModel,
  type SequenceRequest,
} from "./sequence.ts";

/** Host memory for prefixes: about 2000 positions of the released model, about ten voices. */
const DEFAULT_PREFIX_CACHE_BYTES = 256 * 1024 * 1024;

interface Waiting {
  readonly request: SequenceRequest;
  readonly listeners: SequenceListeners;
  readonly resolve: (result: GeneratedSequence) => void;
  readonly reject: (error: unknown) => void;
}

interface Running extends Waiting {
  readonly sequence: Sequence;
  readonly order: number;
}

/**
 * Continuous batching: sequences join and leave the model's slots between two frames, and all that speak make a column in
 * the same step. With the same number of slots a seed gives the same codes alone and beside others. Sequences that find no
 * free slot wait, first come, first served.
 */
export class Scheduler {
  readonly #model: SequenceModel;
  readonly #waiting: Waiting[] = [];
  /** By slot. */
  readonly #running = new Map<number, Running>();
  readonly #logits: Float32Array;
  readonly #upkeep: (() => Promise<void>)[] = [];
  #order = 0;
  #isLooping = false;

  readonly #prefixCache: PrefixCache;

  constructor(model: SequenceModel, options: { prefixCacheBytes?: number } = {}) {
    this.#model = model;
    this.#prefixCache = new PrefixCache(options.prefixCacheBytes ?? DEFAULT_PREFIX_CACHE_BYTES);
    this.#logits = new Float32Array(model.logitsLength);
  }

  /** Prompts whose beginning was in the prefix cache, and prompts whose was not. */
  get prefixHits(): { readonly hits: number; readonly misses: number } {
    return this.#prefixCache.counts;
  }

  /** Sequences in slots, and sequences that wait for one. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running.size, waiting: this.#waiting.length };
  }

  /**
   * Generates one sequence, concurrently with others. An abort is noticed within one frame, and only this sequence ends.
   *
   * @throws {HiggsError} CONTEXT_OVERFLOW when the prompt leaves no room for audio
   * @throws {HiggsError} CANCELLED when the signal fires
   * @throws {HiggsError} GENERATION_FAILED when the logits are not finite
   * @throws {GgmlError} when a step fails, for all sequences in it
   */
  generate(request: SequenceRequest, listeners: SequenceListeners = {}): Promise<GeneratedSequence> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, listeners, resolve, reject });
      if (!this.#isLooping) void this.#run();
    });
  }

  /** Runs work on the model between two rounds, or at once when there is none. Rejects with what the work throws. */
  runBetween(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#upkeep.push(() => work().then(resolve, reject));
      if (!this.#isLooping) void this.#run();
    });
  }

  /** Never rejects: an error goes to the sequences that it concerns. */
  async #run(): Promise<void> {
    this.#isLooping = true;
    // Requests from the same turn of the event loop start together.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#running.size > 0 || this.#upkeep.length > 0) {
      await this.#upkeep.shift()?.();
      this.#dropCancelled();
      this.#admit();
      await this.#round();
    }
    this.#isLooping = false;
  }

  async #round(): Promise<void> {
    const view = [...this.#running].map(([slot, { sequence, order }]) => ({ slot, phase: sequence.phase, order }));
    const plan = planStep(view);
    const prefilling = plan.prefillSlot === null ? undefined : this.#running.get(plan.prefillSlot);
    if (prefilling !== undefined) {
      await this.#attempt([prefilling], () => prefilling.sequence.prefillPiece());
    }
    const decoding = plan.decodeSlots.flatMap((slot) => this.#running.get(slot) ?? []);
    if (decoding.length > 0) await this.#attempt(decoding, () => this.#step(decoding));
    this.#settleDone();
  }

  async #step(decoding: readonly Running[]): Promise<void> {
    this.#closeRanks(decoding);
    const length = decoding.reduce((longest, { sequence }) => Math.max(longest, sequence.length), 1);
    const slotCount = decoding.reduce((count, { sequence }) => Math.max(count, sequence.slot + 1), 1);
    const graph = this.#model.decodeGraph(length, slotCount);
    for (let slot = 0; slot < this.#model.slots; slot++) graph.setIdle(slot);
    for (const { sequence } of decoding) sequence.feed(graph);
    await graph.compute(this.#logits);
    for (const running of decoding) {
      await this.#attempt([running], () => {
        running.sequence.throwIfCancelled();
        running.sequence.take(this.#logits);
      });
    }
  }

  /** Moves sequences to the first slots where that makes the step smaller: slots between them would be computed for nothing. */
  #closeRanks(decoding: readonly Running[]): void {
    const smallest = this.#model.slotsOfStep(decoding.length);
    const behind = decoding.filter(({ sequence }) => sequence.slot >= smallest);
    for (const running of behind) {
      const from = running.sequence.slot;
      const to = Array.from({ length: smallest }, (_, slot) => slot).find((slot) => !this.#running.has(slot));
      // A prompt that is being read keeps its slot.
      if (to === undefined) return;
      running.sequence.moveTo(to);
      this.#running.delete(from);
      this.#running.set(to, running);
    }
  }

  /** Runs an action; what it throws ends the sequences that it was for. */
  async #attempt(affected: readonly Running[], action: () => Promise<void> | void): Promise<void> {
    try {
      await action();
    } catch (error) {
      for (const { sequence, reject } of affected) {
        sequence.abandon(error);
        this.#running.delete(sequence.slot);
        reject(error);
      }
    }
  }

  #settleDone(): void {
    for (const [slot, { sequence, resolve }] of this.#running) {
      if (sequence.phase !== "done") continue;
      this.#running.delete(slot);
      resolve(sequence.result());
    }
  }

  #dropCancelled(): void {
    for (const waiting of this.#waiting.filter(({ listeners }) => listeners.signal?.aborted === true)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.reject(new HiggsError("CANCELLED", "start the speech", "it was cancelled while it waited"));
    }
  }

  #admit(): void {
    for (let slot = 0; slot < this.#model.slots; slot++) {
      if (this.#running.has(slot)) continue;
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#start(next, slot);
    }
  }

  /** Gives a sequence its slot; one that cannot start is rejected, and the slot stays free until the next round. */
  #start(waiting: Waiting, slot: number): void {
    try {
      const sequence = new Sequence(this.#model, slot, waiting.request, waiting.listeners, this.#prefixCache);
      this.#running.set(slot, { ...waiting, sequence, order: this.#order++ });
    } catch (error) {
      waiting.reject(error);
    }
  }
}
