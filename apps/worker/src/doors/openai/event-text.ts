import type { SpokenOutput } from "../../job/job-output.ts";
import type { DoorSpeech } from "../door-service.ts";
import type { OpenAiErrorBody } from "./openai-error.ts";

/** What OpenAI counts; tokens of the prompt, and frames of audio. */
interface SpeechUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly total_tokens: number;
}

function usageOf({ usage }: SpokenOutput): SpeechUsage {
  const { prompt_tokens: input, audio_frames: output } = usage;
  return { input_tokens: input, output_tokens: output, total_tokens: input + output };
}

type SpeechEvent =
  | { readonly type: "speech.audio.delta"; readonly audio: string }
  | { readonly type: "speech.audio.done"; readonly usage: SpeechUsage }
  | ({ readonly type: "error" } & OpenAiErrorBody);

export function eventText(event: SpeechEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

/** RunPod takes items of a stream up to 1 MB; this is what remains of it without base64, with room to spare. */
const MAX_EVENT_AUDIO_BYTES = 512 * 1024;

/**
 * The speech as server-sent events, the usage last.
 *
 * @throws as `bytes` does, when the speech fails midway
 */
export async function* speechEvents({
  bytes,
  finished,
}: Pick<DoorSpeech, "bytes" | "finished">): AsyncGenerator<string, SpokenOutput> {
  for await (const part of bytes) {
    for (let start = 0; start < part.length; start += MAX_EVENT_AUDIO_BYTES) {
      const piece = part.subarray(start, start + MAX_EVENT_AUDIO_BYTES);
      const audio = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("base64");
      yield eventText({ type: "speech.audio.delta", audio });
    }
  }
  const spoken = await finished;
  yield eventText({ type: "speech.audio.done", usage: usageOf(spoken) });
  return spoken;
}
