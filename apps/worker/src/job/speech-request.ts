import { listScenePresets, resolveScene, type ResolvedSpeechRequest } from "@higgs-worker/higgs-audio";
import { resolveSpeechRequest } from "@higgs-worker/higgs-audio/requests";
import { canonicalLanguage, prepareText, type TextOptions } from "@higgs-worker/speech-text";
import { nearestName } from "../names/nearest-name.ts";
import type { JobInput } from "./job-fields.ts";

export interface PreparedRequest {
  readonly request: ResolvedSpeechRequest;
  readonly warnings: readonly string[];
}

/** The speech request for a job input, without its references; draws a seed if the job has none. */
export async function toSpeechRequest(input: JobInput): Promise<PreparedRequest> {
  const scene = await resolveScene(input.scene_prompt);
  const { text, warnings } = await readTranscript(input);
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
      earlier: null,
      seed: input.seed ?? undefined,
    }),
    warnings: [...warnings, ...(await sceneWarnings(input.scene_prompt, scene.preset))],
  };
}

/** The transcript as it is given to the engine, and what was read in it. */
export function readTranscript(input: JobInput): ReturnType<typeof prepareText> {
  return prepareText(input.transcript, textOptionsFor(input));
}

/** A text that is to be spoken exactly as written is not read in any other way, unless it is said to be markup. */
function textOptionsFor({ text_format: format, normalize, spell_out: spellsOut, language }: JobInput): TextOptions {
  return {
    format: format === "plain" && !normalize ? "raw" : format,
    spellsOut,
    language: language === null ? null : canonicalLanguage(language),
  };
}

/** A one-word scene that is nearly a preset's name was probably meant to be the preset. */
async function sceneWarnings(scene: string, preset: string | null): Promise<string[]> {
  if (preset !== null || !/^[\w-]+$/.test(scene)) return [];
  const nearest = nearestName(scene, await listScenePresets());
  return nearest === null ? [] : [`scene_prompt is used as literal text; did you mean the preset ${nearest}?`];
}
