/**
 * How many sequences the memory has room for, and what takes it. Pure: `memory-needs.ts` says what a model needs, the device what
 * is free.
 */

/** What a loaded model takes at most, in bytes. */
export interface MemoryNeeds {
  /** Of the trunk, on the device. */
  readonly weights: number;
  /** In the host's memory. */
  readonly textEmbeddings: number;
  /** Keys and values of one slot, all of its context. */
  readonly cachePerSlot: number;
  /** Static graphs for steps, for each slot. */
  readonly stepPerSlot: number;
  /** Graphs' descriptions, and scratch memory of a piece of a prompt. */
  readonly graphs: number;
  /** The codec's decoder with its scratch memory. */
  readonly codec: number;
  /** The codec's encoder with its scratch memory, which is there while new voices come. */
  readonly encoder: number;
  /** Beginnings of prompts that are kept, in the host's memory. */
  readonly prefixes: number;
  /** The process around it: Node, libraries, tokenizer; in the host's memory. */
  readonly process: number;
}

/** Memory of the device before the model is loaded, in bytes. */
export interface MemoryRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Whether the device's memory is the host's. */
  readonly isHost: boolean;
}

export interface MemoryPlan {
  /** Sequences that can be generated at the same time. */
  readonly slots: number;
  readonly needs: MemoryNeeds;
  readonly room: MemoryRoom;
  /** What all of it takes at most on the device, with these slots. */
  readonly neededBytes: number;
  /** What is left to others: programs, the driver, what grows and shrinks. */
  readonly headroomBytes: number;
  /** Whether it fits beside the headroom. */
  readonly isEnough: boolean;
}

/**
 * The most slots that `auto` takes. A GPU reads its weights once for all of them, so more speak at nearly the pace of one. A CPU
 * computes each of them: four have most of the gain, and each further one only waits for the others.
 */
export const MOST_SLOTS = { host: 4, device: 32 } as const;

const HEADROOM_SHARE = 0.05;
const HEADROOM_BYTES = { least: 64e6, most: 1e9 } as const;

/** Decides on the number of slots, or checks the one that is wanted. At least one slot is planned even where it does not fit. */
export function planMemory(needs: MemoryNeeds, room: MemoryRoom, wanted: number | "auto"): MemoryPlan {
  const headroomBytes = clamp(room.totalBytes * HEADROOM_SHARE, HEADROOM_BYTES.least, HEADROOM_BYTES.most);
  const perSlot = needs.cachePerSlot + needs.stepPerSlot;
  const host = needs.textEmbeddings + needs.prefixes + needs.process;
  const fixed = needs.weights + needs.graphs + needs.codec + needs.encoder + (room.isHost ? host : 0);
  const most = room.isHost ? MOST_SLOTS.host : MOST_SLOTS.device;
  const fitting = Math.floor((room.freeBytes - headroomBytes - fixed) / perSlot);
  const slots = wanted === "auto" ? clamp(fitting, 1, most) : wanted;
  const neededBytes = fixed + slots * perSlot;
  const isEnough = neededBytes + headroomBytes <= room.freeBytes;
  return { slots, needs, room, neededBytes, headroomBytes, isEnough };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
