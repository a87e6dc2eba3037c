import { HiggsError } from "@higgs-worker/base";
import { chunkTranscript, type ChunkOptions, type ReferenceChunkMethod } from "../text/chunk.ts";
import { refuseControlStrings } from "../text/control-strings.ts";
import { normalizeTranscript } from "../text/normalize.ts";

/** How a transcript becomes chunks in the reference. */
export interface ReferenceTextRequest {
  /** As the user wrote it. */
  readonly transcript: string;
  readonly normalize: boolean;
  readonly chunkMethod: ReferenceChunkMethod;
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
 * Splits a transcript into the texts of turns, exactly as the reference does: normalization and chunks (spec model §5.5, §6.1). Control strings are taken as
 * they are: refuse them first.
 *
 * @throws {HiggsError} INVALID_INPUT when nothing is left to speak
 */
export function planText(
  request: ReferenceTextRequest,
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
export interface UserTexts extends Pick<ReferenceTextRequest, "transcript" | "normalize"> {
  /** The scene's text; null for none. */
  readonly scene: string | null;
  readonly references: readonly ({ kind: "clip"; transcript: string } | { kind: "profile"; description: string })[];
}

/**
 * Refuses control strings in any of the user's texts. The normalized text is checked too: normalization can make `<|…|>` of
 * `《|…|》`.
 *
 * @param specialTokens those of the checkpoint
 * @throws {HiggsError} INVALID_INPUT when there is one
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

function spokenText({ transcript, normalize }: UserTexts | ReferenceTextRequest): string {
  return normalize ? normalizeTranscript(transcript) : transcript;
}
