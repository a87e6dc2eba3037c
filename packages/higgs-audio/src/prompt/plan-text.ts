import { HiggsError } from "@higgs-worker/errors";
import { chunkTranscript, type ChunkMethod, type ChunkOptions } from "../text/chunk.ts";
import { refuseControlStrings } from "../text/control-strings.ts";
import { normalizeTranscript } from "../text/normalize.ts";
import { collectSpeakerTags } from "../text/speaker-tags.ts";
import { buildFixedMessages } from "./fixed-messages.ts";
import type { Message } from "./messages.ts";
import type { Reference } from "./references.ts";

/** The parts of a speech request that concern text. */
export interface TextRequest {
  /** As the user wrote it. */
  readonly transcript: string;
  readonly normalize: boolean;
  readonly references: readonly Reference[];
  readonly referencesInSystemMessage: boolean;
  /** The scene's text, already resolved from a preset's name; null for none. */
  readonly scene: string | null;
  readonly chunkMethod: ChunkMethod;
  readonly chunkMaxWordNum: number;
  readonly chunkMaxNumTurns: number;
}

export interface TextPlan {
  /** The text that is spoken. */
  readonly text: string;
  /** The texts of the user turns, spoken one after the other; at least one. */
  readonly chunks: readonly string[];
  /** The turns before each of them. */
  readonly fixedMessages: readonly Message[];
}

export interface PlanTextOptions extends Pick<ChunkOptions, "isChinese" | "segmentWords"> {
  /** Special tokens of the checkpoint, to be refused in user text. */
  readonly specialTokens?: Iterable<string>;
  /** `allow` only to compare with the reference, which takes any text. */
  readonly controlStrings?: "refuse" | "allow";
}

/**
 * From a request to what is said in which turns: checks, speaker tags, normalisation, chunks, turns (spec model §5.3 … §6.1).
 * Throws INVALID_INPUT for control strings in any text of the user, or when nothing is left to speak.
 */
export function planText(request: TextRequest, options: PlanTextOptions = {}): TextPlan {
  const text = request.normalize ? normalizeTranscript(request.transcript) : request.transcript;
  if (options.controlStrings !== "allow") refuseInRequest(request, text, [...(options.specialTokens ?? [])]);
  const chunks = chunkTranscript(text, {
    ...options,
    method: request.chunkMethod,
    maxWordNum: request.chunkMaxWordNum,
    maxNumTurns: request.chunkMaxNumTurns,
  });
  if (chunks.length === 0) {
    throw new HiggsError("INVALID_INPUT", "Cannot speak the transcript: it holds no words (got 0 chunks, limit 1)");
  }
  const speakerTags = collectSpeakerTags(request.transcript);
  return { text, chunks, fixedMessages: buildFixedMessages({ ...request, speakerTags }) };
}

/** The normalised text is checked too: normalisation can make `<|…|>` of `《|…|》`. */
function refuseInRequest(request: TextRequest, text: string, specialTokens: readonly string[]): void {
  refuseControlStrings(request.transcript, { field: "transcript", specialTokens });
  refuseControlStrings(text, { field: "transcript", specialTokens });
  refuseControlStrings(request.scene ?? "", { field: "scene_prompt", specialTokens });
  for (const [index, reference] of request.references.entries()) {
    const words = reference.kind === "clip" ? reference.transcript : reference.description;
    refuseControlStrings(words, { field: `ref_audio[${index}]`, specialTokens });
  }
}
