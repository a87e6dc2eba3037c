import type { CodeLoops } from "./code-loops.ts";
import { measureRunaway } from "./length.ts";
import { measureLoop, newCodeLoops } from "./loop.ts";
import type { GuardThresholds } from "./thresholds.ts";
import type { ChunkFacts, Finding } from "./types.ts";
import type { Codes } from "../prompt/messages.ts";

export type WatchFacts = Pick<ChunkFacts, "textTokens" | "expectedFrames" | "framesPerSecond">;

/** Looks at the codes of one attempt while they come, so that a hopeless one ends early. */
export class GuardWatch {
  readonly #facts: WatchFacts;
  readonly #thresholds: GuardThresholds;
  readonly #loops: CodeLoops;
  #frames = 0;
  #finding: Finding | null = null;

  constructor(facts: WatchFacts, thresholds: GuardThresholds) {
    this.#facts = facts;
    this.#thresholds = thresholds;
    this.#loops = newCodeLoops(facts.framesPerSecond);
  }

  /**
   * Takes the next frames, `codes[codebook][frame]`.
   *
   * @returns why the attempt is hopeless, from then on; null while it is not
   */
  push(codes: Codes): Finding | null {
    this.#frames += codes[0]?.length ?? 0;
    if (this.#finding !== null) return this.#finding;
    this.#loops.push(codes);
    const { framesPerSecond } = this.#facts;
    const { heldCodesSeconds } = this.#thresholds;
    const measured = [
      measureRunaway(this.#frames, this.#facts, this.#thresholds),
      measureLoop(this.#loops, framesPerSecond, heldCodesSeconds, this.#thresholds),
    ];
    this.#finding = measured.find(({ excess }) => excess > 1)?.finding ?? null;
    return this.#finding;
  }
}
