import type { TextOptions } from "./text-options.ts";

export interface StepResult {
  readonly text: string;
  /** What was read as something else, and what may be a mistake; each begins with a capital and never holds the text itself. */
  readonly warnings: readonly string[];
}

/** One step from text as people write it to text that can be spoken; plain text with marks goes in and comes out. */
export type TextStep = (text: string, options: TextOptions) => StepResult | Promise<StepResult>;
