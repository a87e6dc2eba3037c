import { HiggsError } from "@higgs-worker/base";
import { chunkTranscript, splitTurns, type ChunkMethod, type ChunkOptions } from "../text/chunk.ts";
import { refuseControlStrings } from "../text/control-strings.ts";
import { normalizeTranscript, withSentenceEnd } from "../text/normalize.ts";
import { isSpeakable } from "../text/speakable.ts";
import { speakerTagWarnings } from "../text/speaker-tags.ts";

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
 * Splits a transcript into the texts of turns: normalization and chunks (spec model §5.5, §6.1). Control strings are taken as
 * they are: refuse them first.
 *
 * @throws {HiggsError} INVALID_INPUT when nothing is left to speak
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

export interface SpokenPlan extends TextPlan {
  /** What was left out, and what may be a mistake. */
  readonly warnings: readonly string[];
}

/**
 * As `planText`, but without turns and chunks that have nothing to speak: the model would produce noise for them, up to its
 * limit.
 *
 * @throws {HiggsError} INVALID_INPUT when nothing is left to speak
 */
export function planSpokenText(request: TextRequest): SpokenPlan {
  const turns = splitTurns(spokenText(request));
  const spokenTurns = turns.filter(isSpeakable);
  const text = spokenTurns.join("\n");
  const isEnded = spokenTurns.length === turns.length || !request.normalize;
  const plan = planText({ ...request, transcript: isEnded ? text : withSentenceEnd(text), normalize: false });
  const chunks = plan.chunks.filter(isSpeakable);
  if (chunks.length === 0) {
    throw new HiggsError(
      "INVALID_INPUT",
      "speak the transcript",
      "it has nothing to speak (no letter or digit beside speaker tags)",
    );
  }
  const warnings = [
    ...leftOut("turns", turns, spokenTurns.length),
    ...leftOut("chunks", plan.chunks, chunks.length),
    ...speakerTagWarnings(request.transcript),
  ];
  return { text: plan.text, chunks, warnings };
}

function leftOut(what: string, texts: readonly string[], spoken: number): string[] {
  const left = texts.length - spoken;
  if (left === 0) return [];
  const first = texts.findIndex((text) => !isSpeakable(text)) + 1;
  return [`Nothing to speak in ${left} of ${texts.length} ${what}, which were left out (the first is number ${first})`];
}

/** All texts of a request that the user wrote. */
export interface UserTexts extends Pick<TextRequest, "transcript" | "normalize"> {
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

function spokenText({ transcript, normalize }: UserTexts | TextRequest): string {
  return normalize ? normalizeTranscript(transcript) : transcript;
}
