import type { Hono, MiddlewareHandler } from "hono";
import { type HttpEnvironment, PublicApiError, readJson } from "runpod-worker/http";
import { answerAudio, createDoorApp, type DoorContext, refuseForeign, requireDoorKey } from "../door-app.ts";
import type { DoorParts } from "../door-parts.ts";
import { createConsent, deleteConsent, listConsents, renameConsent, showConsent } from "./consent-routes.ts";
import { audioModelList, findModelObject, modelList } from "./model-list.ts";
import { answerOpenAiFailure } from "./openai-error.ts";
import { answerEvents } from "./speech-events.ts";
import { readSpeechRequest } from "./speech-request.ts";
import { voiceList } from "./voice-list.ts";
import { createVoice, deleteVoice, showVoice } from "./voice-routes.ts";
import { OpenAiVoices } from "./voice-table.ts";

const MEBIBYTE = 1024 * 1024;
/** Of a JSON body: that of the platform's own synchronous requests. */
const MAX_BODY_BYTES = 20 * MEBIBYTE;
/** Base addresses end in `/v1` or without it. */
const PREFIXES = ["/v1", ""] as const;

/** OpenAI's speech API, as its clients use it (docs/CLIENTS.md). */
export function createOpenAiDoor(parts: DoorParts): Hono<HttpEnvironment> {
  const { host, logger, library, consents } = parts;
  const app = createDoorApp({ logger, answerFailure: answerOpenAiFailure });
  const voices = new OpenAiVoices({ library, table: parts.openAiVoices, isDemo: parts.isDemo });
  const key = requireDoorKey(host.access);
  for (const prefix of PREFIXES) {
    const path = `${prefix}/audio`;
    app.use(`${path}/*`, refuseForeign(host.access));
    // Programs ask for these before their user has given a key.
    app.get(`${path}/models`, (context) => context.json(audioModelList(isLegacy(context))));
    app.get(`${path}/voices`, async (context) => context.json(await voiceList(voices, library, isLegacy(context))));
    app.use(`${path}/*`, key);
    app.post(`${path}/speech`, (context) => speak(context, parts, voices));
    app.post(`${path}/voices`, (context) => createVoice(context, parts, consents));
    app.get(`${path}/voices/:id`, (context) => showVoice(context, library));
    app.delete(`${path}/voices/:id`, (context) => deleteVoice(context, library));
    app.get(`${path}/voice_consents`, (context) => listConsents(context, consents));
    app.post(`${path}/voice_consents`, (context) => createConsent(context, parts, consents));
    app.get(`${path}/voice_consents/:id`, (context) => showConsent(context, consents));
    app.post(`${path}/voice_consents/:id`, (context) => renameConsent(context, parts, consents));
    app.delete(`${path}/voice_consents/:id`, (context) => deleteConsent(context, consents));
  }
  addModels(app, refuseForeign(host.access));
  // Asked last of all, so that other doors may have routes below the same paths.
  for (const prefix of PREFIXES) {
    const methods = methodsBelow(app, `${prefix}/audio`);
    for (const [path, allow] of methods) {
      app.all(path, () => {
        const headers = { allow: allow.join(", ") };
        throw new PublicApiError("METHOD_NOT_ALLOWED", "Cannot answer: the route has other methods", headers);
      });
    }
  }
  return app;
}

/** `/v1/models`, which needs no key either. A request with ElevenLabs' key header is for that door. */
function addModels(app: Hono<HttpEnvironment>, guard: MiddlewareHandler<HttpEnvironment>): void {
  const isOurs = (context: DoorContext): boolean => context.req.header("xi-api-key") === undefined;
  app.get("/v1/models", guard, (context, next) => (isOurs(context) ? context.json(modelList()) : next()));
  app.get("/v1/models/:id", guard, (context, next) => {
    if (!isOurs(context)) return next();
    const model = findModelObject(context.req.param("id"));
    if (model === null) throw new PublicApiError("NOT_FOUND", "Cannot find the model: there is none with this id");
    return context.json(model);
  });
}

/** Whether names alone are asked for, as older programs want them. */
function isLegacy(context: DoorContext): boolean {
  return context.req.query("legacy") === "true";
}

/** The methods of each path below a prefix that the app has so far. */
function methodsBelow(app: Hono<HttpEnvironment>, prefix: string): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { method, path } of app.routes) {
    if (method === "ALL" || !path.startsWith(prefix)) continue;
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  return methods;
}

/** What no door has below `/v1`, in OpenAI's words. */
export function createFallbackDoor({ host, logger }: DoorParts): Hono<HttpEnvironment> {
  const app = createDoorApp({ logger, answerFailure: answerOpenAiFailure });
  for (const path of ["/v1/*", "/audio/*"]) {
    app.all(path, refuseForeign(host.access), requireDoorKey(host.access), () => {
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
