import type { SpokenOutput } from "../../job/job-output.ts";
import { factHeaders } from "../door-app.ts";
import { failureOf } from "../door-failure.ts";
import type { DoorSpeech } from "../door-service.ts";
import { openAiErrorBody, type OpenAiErrorBody } from "./openai-error.ts";

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

function eventText(event: SpeechEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

/** The speech as server-sent events; a failure midway is the last event. */
async function* speechEvents({ bytes, finished }: DoorSpeech): AsyncGenerator<string> {
  try {
    for await (const part of bytes) {
      const audio = Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("base64");
      yield eventText({ type: "speech.audio.delta", audio });
    }
    yield eventText({ type: "speech.audio.done", usage: usageOf(await finished) });
  } catch (error) {
    yield eventText({ type: "error", ...openAiErrorBody(failureOf(error)) });
  }
}

/** The speech as the answer `text/event-stream`. */
export function answerEvents(speech: DoorSpeech): Response {
  const texts = speechEvents(speech);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { value, done } = await texts.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      // Leaving the loop over the bytes cancels them, which stops the speech; one that waits for bytes is not left by it.
      cancel: async () => {
        speech.stop();
        await texts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { "content-type": "text/event-stream", ...factHeaders(speech) } });
}
