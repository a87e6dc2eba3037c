import type { SpeechResult } from "@higgs-worker/higgs-audio";
import { makeCues } from "./cues.ts";
import { type CaptionFormat, formatCaptions } from "./format-captions.ts";

export interface CaptionOptions {
  /** Null: none are wanted. */
  readonly captions: CaptionFormat | null;
  /** How much faster than the speech the file is. */
  readonly speed: number;
  readonly fileSeconds: number;
  /** Room for them as JSON. */
  readonly maxBytes: number;
}

/** The captions of a speech in the time of its file; left out with a warning when they are too large. */
export function captionsOf(
  { chunks }: Pick<SpeechResult, "chunks">,
  { captions: format, speed, fileSeconds, maxBytes }: CaptionOptions,
): { readonly text: string | null; readonly warnings: readonly string[] } {
  if (format === null) return { text: null, warnings: [] };
  const inFile = chunks.map(({ text, startSeconds, endSeconds }) => ({
    text,
    startSeconds: startSeconds / speed,
    endSeconds: endSeconds / speed,
  }));
  const text = formatCaptions(makeCues(inFile, fileSeconds), format);
  const bytes = Buffer.byteLength(JSON.stringify(text));
  if (bytes <= maxBytes) return { text, warnings: [] };
  const limit = Math.max(0, maxBytes);
  return {
    text: null,
    warnings: [`the captions are left out: the result has no room (got ${bytes} bytes, limit ${limit})`],
  };
}
