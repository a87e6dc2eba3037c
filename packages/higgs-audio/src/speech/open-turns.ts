import { CarriedSpeech } from "../prompt/carried-speech.ts";
import { type ChunkTurns, Conversation } from "../prompt/conversation.ts";
import type { Message } from "../prompt/messages.ts";
import type { SpeechPlan } from "../prompt/speech-plan.ts";
import { CARRIED_FRAMES, CONTEXT_SHARE } from "./earlier-speech.ts";
import type { ResolvedSpeechRequest } from "./speech-request.ts";

type TurnsRequest = Pick<
  ResolvedSpeechRequest,
  "chunkMethod" | "generationChunkBufferSize" | "voiceConsistency" | "earlier" | "references"
>;

/** Whether chunks are not those of the reference, so that they may be any that fit. */
export function isDividedFreely({ chunkMethod }: Pick<ResolvedSpeechRequest, "chunkMethod">): boolean {
  return chunkMethod === "auto" || chunkMethod === "sentence";
}

/**
 * What the chunks of a request see of each other: with the reference's methods what they see there, unless one voice is asked for;
 * otherwise what fits.
 */
export function openTurns(
  request: TurnsRequest,
  fixedMessages: readonly Message[],
  { method, contextLength }: Pick<SpeechPlan, "method"> & { readonly contextLength: number },
): ChunkTurns {
  const { generationChunkBufferSize: bufferSize, voiceConsistency, references, earlier } = request;
  const isFree = isDividedFreely(request);
  const spoken = earlier?.chunks;
  if (!isFree && voiceConsistency !== true) return new Conversation(fixedMessages, { bufferSize, spoken });
  const hasClip = references.some(({ kind }) => kind === "clip");
  const keepsVoice = (voiceConsistency ?? method === "sentence") && !hasClip;
  return new CarriedSpeech(fixedMessages, {
    bufferSize,
    maxRecentFrames: isFree && bufferSize === null ? CARRIED_FRAMES : Number.POSITIVE_INFINITY,
    maxVoiceFrames: keepsVoice ? Math.floor(contextLength * CONTEXT_SHARE) : 0,
    spoken,
  });
}
