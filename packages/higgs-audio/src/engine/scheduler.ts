import { HiggsError } from "@higgs-worker/base";
import { isOutOfMemory } from "../model/ggml-failure.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { planStep } from "./plan-step.ts";
import {
  type GeneratedSequence,
  Sequence,
  type SequenceListeners,
  type SequenceModel,
  type SequenceRequest,
} from "./sequence.ts";

/** Positions of prompts' beginnings that are kept: about ten voices. */
const PREFIX_POSITIONS = 2000;
const MOST_PREFIX_BYTES = 256 * 1024 * 1024;

/** Host memory to give to prefixes of a model whose keys and values take so many bytes a position. */
export function prefixCacheBytesOf(positionBytes: number): number {
  return Math.min(MOST_PREFIX_BYTES, PREFIX_POSITIONS * positionBytes);
}

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

export interface SchedulerOptions {
  /** Host memory for beginnings of prompts. */
  readonly prefixCacheBytes?: number;
  /** Whether half of the slots may be given up when memory runs out; default true. */
  readonly mayGiveUpSlots?: boolean;
  /** Told when memory ran out and half of the slots were given up. */
  readonly onFewerSlots?: (slots: number, cause: unknown) => void;
}

/**
 * Continuous batching: sequences join and leave the model's slots between two frames, and all that speak make a column in
 * the same step. With the same number of slots a seed gives the same codes alone and beside others. Sequences that find no
 * free slot wait, first come, first served.
 *
 * When memory runs out, half of the slots are given up, once, and all go on: those that lose their slot wait for another one
 * with what they have.
 */
export class Scheduler {
  readonly #model: SequenceModel;
  readonly #waiting: Waiting[] = [];
  /** By slot. */
  readonly #running = new Map<number, Running>();
  /** Those that lost their slot, oldest first. */
  readonly #displaced: Running[] = [];
  readonly #upkeep: (() => Promise<void>)[] = [];
  readonly #onFewerSlots: SchedulerOptions["onFewerSlots"];
  #logits: Float32Array;
  #mayGiveUpSlots: boolean;
  #order = 0;
  #isLooping = false;

  readonly #prefixCache: PrefixCache;

  constructor(model: SequenceModel, options: SchedulerOptions = {}) {
    this.#model = model;
    this.#mayGiveUpSlots = options.mayGiveUpSlots ?? true;
    this.#onFewerSlots = options.onFewerSlots;
    this.#prefixCache = new PrefixCache(options.prefixCacheBytes ?? MOST_PREFIX_BYTES);
    this.#logits = new Float32Array(model.logitsLength);
  }

  /** Prompts whose beginning was in the prefix cache, and prompts whose was not. */
  get prefixHits(): { readonly hits: number; readonly misses: number } {
    return this.#prefixCache.counts;
  }

  /** Sequences in slots, and sequences that wait for one. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running.size, waiting: this.#waiting.length + this.#displaced.length };
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
    while (this.#hasWork) {
      await this.#upkeep.shift()?.();
      this.#dropCancelled();
      this.#admit();
      await this.#round();
    }
    this.#isLooping = false;
  }

  get #hasWork(): boolean {
    return this.#waiting.length + this.#displaced.length + this.#running.size + this.#upkeep.length > 0;
  }

  async #round(): Promise<void> {
    const view = [...this.#running].map(([slot, { sequence, order }]) => {
      return { slot, phase: sequence.phase, order, rowsLeft: sequence.rowsLeft };
    });
    const plan = planStep(view, this.#model.slots);
    const prefilling = plan.prefillSlots.flatMap((slot) => this.#running.get(slot) ?? []);
    const speaking = plan.decodeSlots.flatMap((slot) => this.#running.get(slot) ?? []);
    for (const running of prefilling) {
      if (this.#hasSlot(running)) await this.#attempt([running], () => running.sequence.prefillPiece());
    }
    const decoding = speaking.filter((running) => this.#hasSlot(running));
    if (decoding.length > 0) await this.#attempt(decoding, () => this.#step(decoding));
    this.#settleDone();
  }

  /** False once half of the slots were given up and this one's was among them. */
  #hasSlot(running: Running): boolean {
    return this.#running.get(running.sequence.slot) === running;
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

  /** Runs an action; what it throws ends the sequences that it was for, unless fewer slots may help. */
  async #attempt(affected: readonly Running[], action: () => Promise<void> | void): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (isOutOfMemory(error) && this.#giveUpHalf(error)) return;
      for (const { sequence, reject } of affected) {
        sequence.abandon(error);
        this.#running.delete(sequence.slot);
        reject(error);
      }
    }
  }

  /** Makes do with half of the slots; false when it was done before or there is only one. */
  #giveUpHalf(cause: unknown): boolean {
    const slots = Math.floor(this.#model.slots / 2);
    if (!this.#mayGiveUpSlots || slots === 0) return false;
    this.#mayGiveUpSlots = false;
    const oldestFirst = [...this.#running.values()].toSorted((a, b) => a.order - b.order);
    this.#running.clear();
    try {
      for (const { sequence } of oldestFirst) sequence.leaveSlot();
      this.#model.resize(slots);
    } catch (error) {
      for (const { sequence, reject } of oldestFirst) {
        sequence.abandon(error);
        reject(error);
      }
      return true;
    }
    this.#logits = new Float32Array(this.#model.logitsLength);
    this.#displaced.push(...oldestFirst);
    this.#admit();
    this.#onFewerSlots?.(slots, cause);
    return true;
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
    for (const displaced of this.#displaced.filter(({ listeners }) => listeners.signal?.aborted === true)) {
      this.#displaced.splice(this.#displaced.indexOf(displaced), 1);
      const error = new HiggsError("CANCELLED", "finish the speech", "it was cancelled while it waited for a slot");
      displaced.sequence.abandon(error);
      displaced.reject(error);
    }
  }

  #admit(): void {
    for (let slot = 0; slot < this.#model.slots; slot++) {
      if (this.#running.has(slot)) continue;
      const displaced = this.#displaced.shift();
      if (displaced !== undefined) {
        displaced.sequence.enterSlot(slot);
        this.#running.set(slot, displaced);
        continue;
      }
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
