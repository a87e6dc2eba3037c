import { HiggsError } from "@higgs-worker/base";
import { listScenePresets, resolveScene, type ResolvedSpeechRequest } from "@higgs-worker/higgs-audio";
import {
  isSpeakable,
  refuseControlStrings,
  resolveSpeechRequest,
  SOUND_TAGS,
} from "@higgs-worker/higgs-audio/requests";
import { canonicalLanguage, prepareText, type TextOptions, withoutMarks } from "@higgs-worker/speech-text";
import { nearestName } from "../names/nearest-name.ts";
import { referenceNames } from "../references/ref-audio.ts";
import type { InputLimits } from "./job-field.ts";
import type { JobInput } from "./job-fields.ts";
import { NOTHING_TO_SPEAK } from "./text-problems.ts";

/** How much longer a text may become when markup, emoji and the like are put into words. */
const MAX_GROWTH = 4;

type TextLimits = Pick<InputLimits, "maxTranscriptChars">;

export interface PreparedRequest {
  readonly request: ResolvedSpeechRequest;
  readonly warnings: readonly string[];
}

/**
 * The speech request for a job input, without its references; draws a seed if the job has none.
 *
 * @throws {HiggsError} INVALID_INPUT when the text is not in its format, or what it becomes cannot be spoken
 */
export async function toSpeechRequest(input: JobInput, limits: TextLimits): Promise<PreparedRequest> {
  const scene = await resolveScene(input.scene_prompt);
  const { text, warnings } = await readTranscript(input, limits);
  // 0 turns RAS off in either field (spec contract §3).
  const isRasOn = input.ras_win_len > 0 && input.ras_win_max_num_repeat > 0;
  return {
    request: resolveSpeechRequest({
      transcript: text,
      normalize: input.normalize,
      references: [],
      referencesInSystemMessage: input.ref_audio_in_system_message,
      scene: scene.text,
      sampling: {
        temperature: input.temperature,
        topK: input.top_k,
        topP: input.top_p,
        minP: input.min_p,
        rasWinLen: isRasOn ? input.ras_win_len : 0,
        rasWinMaxNumRepeat: input.ras_win_max_num_repeat,
      },
      maxNewTokens: input.max_new_tokens,
      chunkMethod: input.chunk_method ?? "auto",
      chunkMaxWordNum: input.chunk_max_word_num,
      chunkMaxNumTurns: input.chunk_max_num_turns,
      generationChunkBufferSize: input.generation_chunk_buffer_size,
      trim: input.trim ?? undefined,
      pausesMs: input.pause_ms ?? undefined,
      playbackSpeed: input.speed,
      lookaheadFrames: input.lookahead_frames,
      voiceConsistency: input.voice_consistency,
      allowTruncated: input.allow_truncated,
      guard: input.guard,
      maxRetries: input.max_retries,
      retrySeeded: input.retry_seeded || input.seed === null,
      earlier: null,
      seed: input.seed ?? undefined,
    }),
    warnings: [...warnings, ...(await sceneWarnings(input.scene_prompt, scene.preset))],
  };
}

/**
 * The transcript as it is given to the engine, and what was read in it.
 *
 * @throws {HiggsError} INVALID_INPUT when the text is not in its format, or what it becomes cannot be spoken
 */
async function readTranscript(input: JobInput, limits: TextLimits): ReturnType<typeof prepareText> {
  const prepared = await prepareText(input.transcript, textOptionsFor(input, limits));
  refuseUnspeakable(prepared.text);
  return prepared;
}

/** A text that is to be spoken exactly as written is not read in any other way, unless it is said to be markup. */
function textOptionsFor(input: JobInput, limits: TextLimits): TextOptions {
  const { text_format: format, normalize, code, emoji, ref_audio: refAudio, spell_out: spellsOut, language } = input;
  return {
    format: format === "plain" && !normalize ? "raw" : format,
    code,
    emoji,
    voices: referenceNames(refAudio),
    soundTags: SOUND_TAGS,
    maxCharacters: MAX_GROWTH * limits.maxTranscriptChars,
    spellsOut,
    language: language === null ? null : canonicalLanguage(language),
  };
}

/** Markup can hide what is refused in plain text, and can be empty. */
function refuseUnspeakable(text: string): void {
  refuseControlStrings(text, { field: "transcript" });
  if (!isSpeakable(withoutMarks(text)))
    throw new HiggsError("INVALID_INPUT", "use transcript", `it ${NOTHING_TO_SPEAK}`);
}

/** A one-word scene that is nearly a preset's name was probably meant to be the preset. */
async function sceneWarnings(scene: string, preset: string | null): Promise<string[]> {
  if (preset !== null || !/^[\w-]+$/.test(scene)) return [];
  const nearest = nearestName(scene, await listScenePresets());
  return nearest === null ? [] : [`scene_prompt is used as literal text; did you mean the preset ${nearest}?`];
}
