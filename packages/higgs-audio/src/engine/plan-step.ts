import type { SequencePhase } from "./sequence.ts";

/** What the planner sees of a running sequence. */
export interface RunningSequence {
  readonly slot: number;
  readonly phase: SequencePhase;
  /** Order of arrival. */
  readonly order: number;
}

export interface StepPlan {
  /** The slot that gets a piece of its prompt computed, or null. */
  readonly prefillSlot: number | null;
  /** Rows of that piece at most. */
  readonly prefillRows: number;
  /** The slots that make a column together. */
  readonly decodeSlots: readonly number[];
}

/** Rows of a prompt between two steps of sequences that are already speaking: they wait for one small piece, not for all. */
const ROWS_BESIDE_OTHERS = 64;

/**
 * What the engine does next: at most one piece of the oldest unfinished prompt, then one column for everyone who speaks.
 * So whoever speaks makes a column in every round, and every prompt is finished after a bounded number of rounds.
 */
export function planStep(running: readonly RunningSequence[], prefillRows: number): StepPlan {
  const oldestFirst = running.toSorted((a, b) => a.order - b.order);
  const decodeSlots = oldestFirst.filter(({ phase }) => phase === "decode").map(({ slot }) => slot);
  const prefilling = oldestFirst.find(({ phase }) => phase === "prefill");
  return {
    prefillSlot: prefilling?.slot ?? null,
    prefillRows: decodeSlots.length === 0 ? prefillRows : Math.min(ROWS_BESIDE_OTHERS, prefillRows),
    decodeSlots,
  };
}
