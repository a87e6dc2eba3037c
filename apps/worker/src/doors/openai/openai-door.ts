import type { Hono } from "hono";
import { type HttpEnvironment, PublicApiError, readJson } from "runpod-worker/http";
import { answerAudio, createDoorApp, type DoorContext, refuseForeign, requireDoorKey } from "../door-app.ts";
import type { DoorParts } from "../door-parts.ts";
import { answerOpenAiFailure } from "./openai-error.ts";
import { answerEvents } from "./speech-events.ts";
import { readSpeechRequest } from "./speech-request.ts";
import { OpenAiVoices } from "./voice-table.ts";

const MEBIBYTE = 1024 * 1024;
/** Of a JSON body: that of the platform's own synchronous requests. */
const MAX_BODY_BYTES = 20 * MEBIBYTE;
/** Base addresses end in `/v1` or without it. */
const PREFIXES = ["/v1", ""] as const;

/** OpenAI's speech API, as its clients use it (docs/CLIENTS.md). */
export function createOpenAiDoor(parts: DoorParts): Hono<HttpEnvironment> {
  const { host, logger } = parts;
  const app = createDoorApp({ logger, answerFailure: answerOpenAiFailure });
  const voices = new OpenAiVoices({ library: parts.library, table: parts.openAiVoices, isDemo: parts.isDemo });
  const key = requireDoorKey(host.access);
  for (const prefix of PREFIXES) {
    const path = `${prefix}/audio`;
    app.use(`${path}/*`, refuseForeign(host.access));
    app.post(`${path}/speech`, key, (context) => speak(context, parts, voices));
    app.use(`${path}/*`, key);
    app.all(`${path}/*`, () => {
      throw new PublicApiError("NOT_FOUND", "Cannot answer: there is no such route");
    });
  }
  return app;
}

async function speak(
  context: DoorContext,
  { host, service, config }: DoorParts,
  voices: OpenAiVoices,
): Promise<Response> {
  const rules = { limitBytes: MAX_BODY_BYTES, budget: host.queue.inputs, requiresJsonType: true };
  const { value } = await readJson(context, rules);
  const { input, streamFormat, isLive } = await readSpeechRequest(value, {
    voices,
    maxInputChars: config.openAiMaxInputChars,
  });
  const { signal } = context.req.raw;
  const speech = await service.speak({ input, purpose: isLive ? "live" : "file", signal });
  return streamFormat === "sse" ? answerEvents(speech) : answerAudio(context, speech);
}
