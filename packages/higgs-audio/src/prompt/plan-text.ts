import { HiggsError } from "@higgs-worker/base";
import { chunkTranscript, type ChunkMethod, type ChunkOptions } from "../text/chunk.ts";
import { refuseControlStrings } from "../text/control-strings.ts";
import { normalizeTranscript } from "../text/normalize.ts";

/** How a transcript becomes chunks. */
export interface TextRequest {
  /** As the user wrote it. */
  readonly transcript: string;
  readonly normalize: boolean;
  readonly chunkMethod: ChunkMethod;
  readonly chunkMaxWordNum: number;
  readonly chunkMaxNumTurns: number;
}

export interface TextPlan {
  /** The text that is spoken. */
  readonly text: string;
  /** The texts of the user turns, spoken one after the other; at least one. */
  readonly chunks: readonly string[];
}

/**
 * From a transcript to what is said in which turns: normalisation and chunks (spec model §5.5, §6.1). Control strings are taken as
 * they are: refuse them first.
 *
 * @throws HiggsError INVALID_INPUT when nothing is left to speak
 */
export function planText(
  request: TextRequest,
  options: Pick<ChunkOptions, "isChinese" | "segmentWords"> = {},
): TextPlan {
  const text = spokenText(request);
  const chunks = chunkTranscript(text, {
    ...options,
    method: request.chunkMethod,
    maxWordNum: request.chunkMaxWordNum,
    maxNumTurns: request.chunkMaxNumTurns,
  });
  if (chunks.length === 0) {
    throw new HiggsError("INVALID_INPUT", "speak the transcript", "it holds no words (got 0 chunks, limit 1)");
  }
  return { text, chunks };
}

/** All texts of a request that the user wrote. */
export interface UserTexts extends Pick<TextRequest, "transcript" | "normalize"> {
  /** The scene's text; null for none. */
  readonly scene: string | null;
  readonly references: readonly ({ kind: "clip"; transcript: string } | { kind: "profile"; description: string })[];
}

/**
 * Refuses control strings in any text of the user. The normalised text is checked too: normalisation can make `<|…|>` of
 * `《|…|》`.
 *
 * @param specialTokens those of the checkpoint
 * @throws HiggsError INVALID_INPUT
 */
export function refuseControlStringsIn(texts: UserTexts, specialTokens: readonly string[]): void {
  refuseControlStrings(texts.transcript, { field: "transcript", specialTokens });
  refuseControlStrings(spokenText(texts), { field: "transcript", specialTokens });
  refuseControlStrings(texts.scene ?? "", { field: "scene_prompt", specialTokens });
  for (const [index, reference] of texts.references.entries()) {
    const words = reference.kind === "clip" ? reference.transcript : reference.description;
    refuseControlStrings(words, { field: `ref_audio[${index}]`, specialTokens });
  }
}

function spokenText({ transcript, normalize }: UserTexts | TextRequest): string {
  return normalize ? normalizeTranscript(transcript) : transcript;
}
