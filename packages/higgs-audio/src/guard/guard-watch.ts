import { measureRunaway } from "./length.ts";
import type { GuardThresholds } from "./thresholds.ts";
import type { ChunkFacts, Finding } from "./types.ts";
import type { Codes } from "../prompt/messages.ts";

export type WatchFacts = Pick<ChunkFacts, "textTokens" | "expectedFrames" | "framesPerSecond">;

/** Looks at the frames of one attempt while they come, so that a hopeless one ends early. */
export class GuardWatch {
  readonly #facts: WatchFacts;
  readonly #thresholds: GuardThresholds;
  #frames = 0;
  #finding: Finding | null = null;

  constructor(facts: WatchFacts, thresholds: GuardThresholds) {
    this.#facts = facts;
    this.#thresholds = thresholds;
  }

  /**
   * Takes the next frames, `codes[codebook][frame]`.
   *
   * @returns why the attempt is hopeless, from then on; null while it is not
   */
  push(codes: Codes): Finding | null {
    this.#frames += codes[0]?.length ?? 0;
    if (this.#finding !== null) return this.#finding;
    const runaway = measureRunaway(this.#frames, this.#facts, this.#thresholds);
    if (runaway.excess > 1) this.#finding = runaway.finding;
    return this.#finding;
  }
}
