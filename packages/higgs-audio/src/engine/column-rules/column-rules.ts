import type { CodebookConfig } from "../codebook-config.ts";
import type { GenerationRules } from "../generation-options.ts";
import { BosonColumnRules } from "./boson.ts";
import { NativeColumnRules } from "./native.ts";

/**
 * What a finished column means for the text stream: `audio`: one more `<|AUDIO_OUT|>`; `delay`: the streams are ending
 * one after the other (native has an id for that); `end`: this was the segment's last column.
 */
export type ColumnOutcome = "audio" | "delay" | "end";

/** The state machine that turns sampled candidates into columns, for one segment (spec model §7.3 to §7.5). */
export interface ColumnRules {
  /** Whether the RAS window reaches clips of system and user turns too, not only those of assistant turns (spec model §8.4). */
  readonly seesEveryClip: boolean;
  /** Whether BOS and EOS in the RAS window count as repeats (spec model §8.4). */
  readonly countsStreamSpecials: boolean;

  /** Starts a segment, right after its all-BOS column 0. */
  begin(): void;
  /** The only id that a codebook of the next column can have before sampling, or −1 when it is free. */
  forcedId(codebook: number): number;
  /** Overwrites what the delay pattern prescribes in the column of candidates at `columns[offset]`, and counts it. */
  finishColumn(columns: Int32Array, offset: number): ColumnOutcome;

  /** Column of codebook 0 of the first frame that is kept (spec model §7.5). */
  readonly firstFrameColumn: number;
  /**
   * How many frames are kept; while the segment goes on, how many of them no later column can change or drop.
   *
   * @param columnCount columns of the segment so far
   */
  frameCount(columnCount: number, isFinished: boolean): number;
}

/** New rules for one segment after the other. */
export function createColumnRules(rules: GenerationRules, config: CodebookConfig): ColumnRules {
  return rules === "boson" ? new BosonColumnRules(config) : new NativeColumnRules(config);
}
