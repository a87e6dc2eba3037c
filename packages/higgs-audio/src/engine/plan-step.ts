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
  /** The slots that make a column together. */
  readonly decodeSlots: readonly number[];
}

/**
 * What the engine does next: at most one piece of the oldest unfinished prompt, then one column for all sequences that
 * are speaking. So every speaking sequence makes a column in each round, and every prompt finishes in a bounded number of rounds.
 */
export function planStep(running: readonly RunningSequence[]): StepPlan {
  const oldestFirst = running.toSorted((a, b) => a.order - b.order);
  const decodeSlots = oldestFirst.filter(({ phase }) => phase === "decode").map(({ slot }) => slot);
  const prefilling = oldestFirst.find(({ phase }) => phase === "prefill");
  return {
    prefillSlot: prefilling?.slot ?? null,
    decodeSlots,
  };
}
