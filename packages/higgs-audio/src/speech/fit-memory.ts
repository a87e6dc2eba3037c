import type { Backend, LogSink } from "@higgs-worker/ggml";
import { openCodec } from "../checkpoint/open-checkpoint.ts";
import { isOutOfMemory } from "../model/ggml-failure.ts";
import { readHostMemory } from "../model/host-memory.ts";
import type { KvTypes } from "../model/kv-cache.ts";
import type { LanguageModel } from "../model/language-model.ts";
import type { WeightSource } from "../model/weight-source.ts";
import { memoryNeedsOf } from "./memory-needs.ts";
import { type MemoryPlan, type MemoryRoom, planMemory } from "./memory-plan.ts";

interface FewerSlotsListeners {
  readonly onFewerSlots?: ((slots: number) => void) | undefined;
  readonly log?: LogSink | undefined;
}

interface FitOptions extends FewerSlotsListeners {
  readonly tokenizerPath: string;
  readonly contextLength: number;
  readonly slots?: number | "auto" | undefined;
}

/** Memory of a backend's device as of now. */
export function roomOf(backend: Backend): MemoryRoom {
  const { freeBytes, totalBytes } = backend.isHost ? readHostMemory() : backend.memory;
  return { freeBytes, totalBytes, isHost: backend.isHost };
}

/**
 * The plan for a model that is about to be loaded. Closes the source when there can be none.
 *
 * @throws {HiggsError} as `openCodec`
 */
export async function planFor(
  source: WeightSource,
  room: MemoryRoom,
  kvTypes: KvTypes,
  { tokenizerPath, contextLength, slots = 1 }: FitOptions,
): Promise<MemoryPlan> {
  const { config, tensors } = source;
  try {
    await using codec = await openCodec(tokenizerPath);
    const { isHost } = room;
    const shapes = { config, tensors: tensors.values(), codec: codec.config, contextLength, kvTypes, isHost };
    return planMemory(memoryNeedsOf(shapes), room, slots);
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

/** Tries again with half of the planned slots when there is no memory beside all of them. */
export async function withFewerSlots<T>(
  model: LanguageModel,
  planned: MemoryPlan,
  options: FitOptions,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const slots = Math.floor(model.slots / 2);
    if (!isOutOfMemory(error) || slots === 0 || model.slots < planned.slots) throw error;
    model.resize(slots);
    tellFewerSlots(slots, error, options);
    return await action();
  }
}

/** Says that memory ran out and what is left. */
export function tellFewerSlots(slots: number, cause: unknown, { log, onFewerSlots }: FewerSlotsListeners): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  log?.("warn", `Memory ran out, going on with ${slots} slot${slots === 1 ? "" : "s"} (half of them): ${reason}`);
  onFewerSlots?.(slots);
}
