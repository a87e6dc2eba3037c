import type { SequencePhase } from "./sequence.ts";

/** What the planner sees of a running sequence. */
export interface RunningSequence {
  readonly slot: number;
  readonly phase: SequencePhase;
  /** Order of arrival. */
  readonly order: number;
  /** Rows of its prompt that are not computed yet. */
  readonly rowsLeft: number;
}

export interface StepPlan {
  /** The slots that get a piece of their prompt computed, in this order: none, one or two. */
  readonly prefillSlots: readonly number[];
  /** The slots that make a column together. */
  readonly decodeSlots: readonly number[];
}

/**
 * What the engine does next: a piece of the oldest unfinished prompt, then one column for all sequences that are speaking. While
 * fewer than half of the slots speak, a shorter prompt gets a piece too, so that a long one does not keep everybody behind it
 * waiting. So every speaking sequence makes a column in each round, no prompt puts more than one piece before it, and
 * every prompt finishes in a bounded number of rounds.
 *
 * @param slots all slots, running or free
 */
export function planStep(running: readonly RunningSequence[], slots: number): StepPlan {
  const oldestFirst = running.toSorted((a, b) => a.order - b.order);
  const decodeSlots = oldestFirst.filter(({ phase }) => phase === "decode").map(({ slot }) => slot);
  const [oldest, ...behind] = oldestFirst.filter(({ phase }) => phase === "prefill");
  if (oldest === undefined) return { prefillSlots: [], decodeSlots };
  const shorter = decodeSlots.length * 2 < slots ? shortestBelow(oldest.rowsLeft, behind) : null;
  return { prefillSlots: shorter === null ? [oldest.slot] : [oldest.slot, shorter.slot], decodeSlots };
}

/** The one with the fewest rows left, if those are fewer than `rows`; of equal ones the oldest. */
function shortestBelow(rows: number, oldestFirst: readonly RunningSequence[]): RunningSequence | null {
  return oldestFirst.reduce<RunningSequence | null>(
    (best, candidate) => (candidate.rowsLeft < (best?.rowsLeft ?? rows) ? candidate : best),
    null,
  );
}
