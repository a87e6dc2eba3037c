import type { Hono } from "hono";
import { type HttpEnvironment, PublicApiError, readJson } from "runpod-worker/http";
import { BytePipe, STALL_TIMEOUT_MS } from "../byte-pipe.ts";
import { answerAudio, createDoorApp, type DoorContext, refuseForeign, requireDoorKey } from "../door-app.ts";
import type { DoorParts } from "../door-parts.ts";
import { SentenceSpeaker } from "../live-text/sentence-speaker.ts";
import { SpeechEncoder } from "../live-text/speech-encoder.ts";
import { OpenAiVoices } from "../openai/voice-table.ts";
import { type Alignment, joinAlignments, secondsOf } from "./alignment.ts";
import { modelList, readVoicePage, voiceEntry, voicePage } from "./catalog.ts";
import { answerElevenLabsFailure } from "./elevenlabs-error.ts";
import { readElevenLabsRequest, type ElevenLabsRequest } from "./elevenlabs-request.ts";
import { speakTimed } from "./timed-speech.ts";

/** Headers that may carry the key. */
export const KEY_HEADERS = ["xi-api-key", "authorization"] as const;
/** On answers with times: how they were found. */
export const ALIGNMENT_HEADERS = { "x-higgs-alignment": "estimate" } as const;
const MAX_BODY_BYTES = 20 * 1024 * 1024;
/** The next sentence waits while the client has left as much of the last ones unread. */
const UNREAD_PAUSE_BYTES = 1024 * 1024;

/** ElevenLabs' text to speech, as its clients use it (docs/CLIENTS.md). */
export function createElevenLabsDoor(parts: DoorParts): Hono<HttpEnvironment> {
  const { host, logger, config } = parts;
  const app = createDoorApp({ logger, answerFailure: answerElevenLabsFailure });
  const voices = new OpenAiVoices({ library: parts.library, table: parts.openAiVoices, isDemo: parts.isDemo });
  const key = requireDoorKey(host.access, KEY_HEADERS);
  for (const path of ["/v1/text-to-speech/*", "/v1/voices", "/v1/voices/*", "/v2/voices"]) {
    app.use(path, refuseForeign(host.access), key);
  }
  const speech = "/v1/text-to-speech/:voice";
  app.post(speech, (context) => speak(context, parts, voices, "file"));
  app.post(`${speech}/stream`, (context) => speak(context, parts, voices, "live"));
  app.post(`${speech}/with-timestamps`, (context) => speakWithTimes(context, parts, voices));
  app.post(`${speech}/stream/with-timestamps`, (context) => streamWithTimes(context, parts, voices));
  app.get("/v1/voices", async (context) => context.json({ voices: await voiceEntries(await voices.names(), parts) }));
  app.get("/v1/voices/:voice", async (context) => {
    const name = context.req.param("voice");
    await voices.referenceOf(name);
    return context.json((await voiceEntries([name], parts))[0] ?? {});
  });
  app.get("/v2/voices", async (context) => {
    const page = voicePage(
      await voices.names(),
      readVoicePage((name) => context.req.query(name)),
    );
    return context.json({ voices: await voiceEntries(page.names, parts), ...page.rest });
  });
  // OpenAI has the same address; only ElevenLabs' clients send this header.
  app.get("/v1/models", (context, next) => {
    if (context.req.header("xi-api-key") === undefined) return next();
    return refuseForeign(host.access)(context, async () => {
      await key(context, async () => {
        context.res = context.json(modelList("higgs-audio-v2", config.maxTranscriptChars));
      });
    });
  });
  for (const path of ["/v1/text-to-speech/*", "/v1/voices/*"]) {
    app.all(path, () => {
      throw new PublicApiError("NOT_FOUND", "Cannot answer: there is no such route");
    });
  }
  return app;
}

async function speak(
  context: DoorContext,
  parts: DoorParts,
  voices: OpenAiVoices,
  purpose: "live" | "file",
): Promise<Response> {
  const { input } = await readRequest(context, parts, voices);
  const speech = await parts.service.speak({ input, purpose, signal: context.req.raw.signal });
  return answerAudio(context, speech);
}

/** The whole audio and its times as one object. */
async function speakWithTimes(context: DoorContext, parts: DoorParts, voices: OpenAiVoices): Promise<Response> {
  const request = await readRequest(context, parts, voices);
  const speaker = speakerOf(request, parts);
  const audio: Uint8Array[] = [];
  const alignments: Alignment[] = [];
  await speakTimed({
    text: request.text,
    speaker,
    encoder: new SpeechEncoder({ ...request.outputFormat, purpose: "file", speed: speaker.speed }),
    onPart: (bytes, alignment) => {
      audio.push(bytes);
      if (alignment !== null) alignments.push(alignment);
    },
    signal: context.req.raw.signal,
  });
  const seconds = secondsOf(joinAlignments(alignments));
  const body = { audio_base64: base64(Buffer.concat(audio)), alignment: seconds, normalized_alignment: seconds };
  return Response.json(body, { headers: { ...ALIGNMENT_HEADERS, "cache-control": "no-store" } });
}

/** One line of JSON a part, while the audio is made. */
async function streamWithTimes(context: DoorContext, parts: DoorParts, voices: OpenAiVoices): Promise<Response> {
  const request = await readRequest(context, parts, voices);
  const speaker = speakerOf(request, parts);
  const { raw } = context.req;
  const left = new AbortController();
  const pipe = new BytePipe({
    budget: parts.host.queue.answers,
    onAbandoned: () => left.abort(),
    stallTimeoutMs: STALL_TIMEOUT_MS,
  });
  let tellFirst: () => void = () => undefined;
  const first = new Promise<void>((resolve) => void (tellFirst = resolve));
  const speaking = speakTimed({
    text: request.text,
    speaker,
    encoder: new SpeechEncoder({ ...request.outputFormat, purpose: "live", speed: speaker.speed }),
    pace: (signal) => pipe.untilBelow(UNREAD_PAUSE_BYTES, signal),
    onPart: (bytes, alignment) => {
      if (bytes.length === 0 && alignment === null) return;
      const seconds = alignment === null ? null : secondsOf(alignment);
      const line = { audio_base64: base64(bytes), alignment: seconds, normalized_alignment: seconds };
      pipe.write(Buffer.from(`${JSON.stringify(line)}\n`));
      tellFirst();
    },
    signal: AbortSignal.any([raw.signal, left.signal]),
  });
  speaking.then(
    () => pipe.end(),
    (error: unknown) => pipe.fail(error),
  );
  await Promise.race([first, speaking]);
  return new Response(pipe.stream, {
    headers: {
      "content-type": "application/json",
      ...ALIGNMENT_HEADERS,
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  });
}

async function readRequest(
  context: DoorContext,
  { host, config }: DoorParts,
  voices: OpenAiVoices,
): Promise<ElevenLabsRequest> {
  const rules = { limitBytes: MAX_BODY_BYTES, budget: host.queue.inputs, requiresJsonType: true };
  const { value } = await readJson(context, rules);
  return await readElevenLabsRequest(value, {
    voice: context.req.param("voice") ?? "",
    outputFormat: context.req.query("output_format"),
    voices,
    maxChars: config.maxTranscriptChars,
  });
}

function speakerOf({ input }: ElevenLabsRequest, { service, config }: DoorParts): SentenceSpeaker {
  return new SentenceSpeaker(service, input, config.contextLength);
}

async function voiceEntries(names: readonly string[], { library }: DoorParts): Promise<object[]> {
  const ofLibrary = new Set(await library.names());
  return names.map((name) => voiceEntry(name, ofLibrary.has(name)));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
