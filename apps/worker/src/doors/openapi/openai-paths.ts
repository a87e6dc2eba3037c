import { AUDIO_FORMATS, encoderFor } from "@higgs-worker/audio";
import {
  type ApiLimits,
  json,
  jsonBody,
  type JsonObject,
  object,
  pathParameter,
  type Paths,
  ref,
  refusals,
  SECONDS,
  TEXT,
  upload,
} from "./parts.ts";
import { speechFields } from "../speech-fields.ts";

const TOKENS = { type: "integer", minimum: 0 } as const;

export const OPENAI_SCHEMAS = {
  OpenAiError: object({
    error: object({
      message: TEXT,
      type: TEXT,
      param: { type: ["string", "null"], description: "The field that is wrong" },
      code: { ...TEXT, description: "A code of docs/ERRORS.md" },
      retryable: { type: "boolean" },
    }),
  }),
  SpeechUsage: object({ input_tokens: TOKENS, output_tokens: TOKENS, total_tokens: TOKENS }),
  Model: object({ id: TEXT, object: { const: "model" }, created: SECONDS, owned_by: TEXT }),
  Voice: object({
    id: TEXT,
    object: { const: "audio.voice" },
    name: TEXT,
    type: { const: "audio_sample" },
    created_at: SECONDS,
  }),
  ListedVoice: {
    anyOf: [
      TEXT,
      object({
        id: TEXT,
        name: TEXT,
        object: { const: "audio.voice" },
        description: { type: ["string", "null"] },
        language: { type: ["string", "null"] },
        source: { enum: ["own", "bundled", "alias"] },
      }),
    ],
  },
  VoiceConsent: object({
    id: TEXT,
    object: { const: "audio.voice_consent" },
    name: TEXT,
    language: TEXT,
    created_at: SECONDS,
  }),
} as const;

const ID = pathParameter("id", "The id");
const LEGACY = { name: "legacy", in: "query", description: "`true`: names alone", schema: { enum: ["true", "false"] } };
const AUDIO_TYPES = [...new Set(AUDIO_FORMATS.map((format) => encoderFor(format).mimeType))];

/** OpenAI's routes (docs/CLIENTS.md). */
export function openAiPaths(limits: ApiLimits, jobInput: JsonObject): Paths {
  return {
    "/v1/audio/speech": { post: speech(limits, jobInput) },
    "/v1/models": {
      get: open("listModels", "The names of models", object({ object: { const: "list" }, data: listOf("Model") })),
    },
    "/v1/models/{id}": {
      get: {
        ...open("showModel", "One of them", ref("Model"), ["404"]),
        parameters: [ID],
      },
    },
    "/v1/audio/models": { get: { ...open("listAudioModels", "The same", { type: "object" }), parameters: [LEGACY] } },
    "/v1/audio/voices": {
      get: {
        ...open("listVoices", "All voices that a request may name", object({ voices: listOf("ListedVoice") })),
        parameters: [LEGACY],
      },
      post: {
        operationId: "createVoice",
        summary: "Add a voice, with the consent of its owner",
        requestBody: upload(
          { name: TEXT, consent: TEXT, transcript: TEXT, ref_text: TEXT, language: TEXT, description: TEXT },
          ["audio_sample"],
          ["name", "audio_sample", "consent"],
        ),
        responses: { "200": json("The voice", ref("Voice")), ...refused("400", "413", "415", "429") },
      },
    },
    "/v1/audio/voices/{id}": {
      get: one("showVoice", "A voice of the library", "Voice"),
      delete: gone("deleteVoice", "Remove a voice", "audio.voice.deleted", "400"),
    },
    "/v1/audio/voice_consents": {
      get: {
        operationId: "listConsents",
        summary: "The recorded consents, newest first",
        parameters: [
          { name: "after", in: "query", schema: TEXT },
          { name: "limit", in: "query", schema: { type: "integer", minimum: 1, maximum: 100 } },
        ],
        responses: { "200": json("A page", page()), ...refused("400") },
      },
      post: {
        operationId: "createConsent",
        summary: "Keep the recording of a consent",
        requestBody: upload({ name: TEXT, language: TEXT }, ["recording"], ["name", "language", "recording"]),
        responses: { "200": json("The consent", ref("VoiceConsent")), ...refused("400", "413", "415", "429") },
      },
    },
    "/v1/audio/voice_consents/{id}": {
      get: one("showConsent", "A consent", "VoiceConsent"),
      post: {
        ...one("renameConsent", "Rename a consent", "VoiceConsent", "400", "413", "415", "429"),
        requestBody: jsonBody(object({ name: TEXT })),
      },
      delete: gone("deleteConsent", "Remove a consent", "audio.voice_consent"),
    },
  };
}

function speech({ openAiMaxInputChars }: ApiLimits, jobInput: JsonObject): JsonObject {
  const { transcript: _transcript, ...own } = speechFields(jobInput["properties"] as JsonObject);
  const body = {
    type: "object",
    required: ["input"],
    properties: {
      ...own,
      model: { description: "Any name" },
      input: { type: "string", minLength: 1, maxLength: openAiMaxInputChars },
      voice: {
        description: "A name, or an object with an id",
        anyOf: [TEXT, object({ id: TEXT }), { type: "null" }],
        default: "alloy",
      },
      instructions: { type: ["string", "null"], description: "The scene", maxLength: 2000 },
      response_format: { enum: [...AUDIO_FORMATS, null], default: "mp3" },
      stream_format: { enum: ["audio", "sse", null], default: "audio" },
      stream: { type: ["boolean", "null"], description: "`false`: a whole file with its length" },
    },
  };
  const binary = { schema: { type: "string", contentMediaType: "application/octet-stream" } };
  const audio = Object.fromEntries(AUDIO_TYPES.map((type) => [type, binary]));
  return {
    operationId: "createSpeech",
    summary: "Speak, while the audio is made",
    requestBody: jsonBody(body, { model: "tts-1", voice: "alloy", input: "The sun is warm." }),
    responses: {
      "200": {
        description: "The audio, or the events speech.audio.delta and speech.audio.done",
        headers: {
          "x-request-id": { schema: TEXT, description: "The job's id" },
          "x-higgs-seed": { schema: TEXT, description: "With it the audio can be repeated" },
        },
        content: { ...audio, "text/event-stream": {} },
      },
      ...refused("400", "404", "413", "415", "429", "499", "504"),
    },
  };
}

function refused(...statuses: readonly string[]): JsonObject {
  return refusals("OpenAiError", statuses);
}

function open(operationId: string, summary: string, schema: JsonObject, statuses: readonly string[] = []): JsonObject {
  return { operationId, summary, security: [{}], responses: { "200": json(summary, schema), ...refused(...statuses) } };
}

function one(operationId: string, summary: string, schema: string, ...statuses: readonly string[]): JsonObject {
  const responses = { "200": json(summary, ref(schema)), ...refused("404", ...statuses) };
  return { operationId, summary, parameters: [ID], responses };
}

function gone(operationId: string, summary: string, name: string, ...statuses: readonly string[]): JsonObject {
  const schema = object({ id: TEXT, object: { const: name }, deleted: { const: true } });
  return {
    operationId,
    summary,
    parameters: [ID],
    responses: { "200": json(summary, schema), ...refused("404", ...statuses) },
  };
}

function listOf(schema: string): JsonObject {
  return { type: "array", items: ref(schema) };
}

function page(): JsonObject {
  const id = { type: ["string", "null"] };
  return object({
    object: { const: "list" },
    data: listOf("VoiceConsent"),
    first_id: id,
    last_id: id,
    has_more: { type: "boolean" },
  });
}
