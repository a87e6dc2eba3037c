import { factHeaders } from "../door-app.ts";
import { failureOf } from "../door-failure.ts";
import type { DoorSpeech } from "../door-service.ts";
import { eventText, speechEvents } from "./event-text.ts";
import { openAiErrorBody } from "./openai-error.ts";

/** The speech as the answer `text/event-stream`. */
export function answerEvents(speech: DoorSpeech): Response {
  const texts = eventsOrFailure(speech);
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

/** The events; a failure midway is the last one. */
async function* eventsOrFailure(speech: DoorSpeech): AsyncGenerator<string> {
  try {
    yield* speechEvents(speech);
  } catch (error) {
    yield eventText({ type: "error", ...openAiErrorBody(failureOf(error)) });
  }
}
