/** Requests of programs that are not clients for Node or Python, sent as they send them; sources in docs/CLIENTS.md. */
export interface ReplayedRequest {
  readonly program: string;
  readonly call: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** False for requests that come without the key. */
  readonly hasKey: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  /** The answer's type, or a check of its JSON. */
  readonly expect: { readonly contentType: string; readonly firstBytes?: string } | ((body: unknown) => string | null);
}

const INPUT = "The little boy went down to the river.";
const MP3 = { contentType: "audio/mpeg" };
const WAV = { contentType: "audio/wav", firstBytes: "RIFF" };
const OPUS = { contentType: "audio/ogg", firstBytes: "OggS" };

/** A list of objects with ids and names below this key, as Open WebUI reads it. */
function listOf(key: string, fields: readonly string[]): (body: unknown) => string | null {
  return (body) => {
    const list = (body as Record<string, unknown>)[key];
    if (!Array.isArray(list) || list.length === 0) return `has no list ${key}`;
    const isComplete = list.every((item) =>
      fields.every((field) => typeof (item as Record<string, unknown>)[field] === "string"),
    );
    return isComplete ? null : `has ${key} without ${fields.join(" and ")}`;
  };
}

function namesIn(key: string): (body: unknown) => string | null {
  return (body) => {
    const list = (body as Record<string, unknown>)[key];
    return Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === "string")
      ? null
      : `has no names in ${key}`;
  };
}

export const REPLAYED_REQUESTS: readonly ReplayedRequest[] = [
  {
    program: "Open WebUI",
    call: "speech",
    method: "POST",
    path: "/v1/audio/speech",
    hasKey: true,
    headers: { "X-OpenWebUI-User-Name": "Ada", "X-OpenWebUI-User-Role": "admin" },
    body: { model: "tts-1", input: INPUT, voice: "alloy" },
    expect: MP3,
  },
  {
    program: "Open WebUI",
    call: "voices",
    method: "GET",
    path: "/v1/audio/voices",
    hasKey: false,
    expect: listOf("voices", ["id", "name"]),
  },
  {
    program: "Open WebUI",
    call: "models",
    method: "GET",
    path: "/v1/audio/models",
    hasKey: false,
    expect: listOf("models", ["id"]),
  },
  {
    program: "SillyTavern",
    call: "speech",
    method: "POST",
    path: "/v1/audio/speech",
    hasKey: true,
    body: { model: "tts-1", input: INPUT, voice: "shimmer", response_format: "mp3", speed: 1 },
    expect: MP3,
  },
  {
    program: "LibreChat",
    call: "speech",
    method: "POST",
    path: "/v1/audio/speech",
    hasKey: true,
    body: { input: INPUT, model: "tts-1", voice: "echo", backend: "openai" },
    expect: MP3,
  },
  {
    program: "n8n",
    call: "generate audio",
    method: "POST",
    path: "/v1/audio/speech",
    hasKey: true,
    body: { model: "tts-1-hd", input: INPUT, voice: "onyx", response_format: "mp3", speed: 1 },
    expect: MP3,
  },
  {
    program: "Home Assistant openai_tts",
    call: "speech",
    method: "POST",
    path: "/v1/audio/speech",
    hasKey: true,
    headers: { "User-Agent": "HomeAssistant-OpenAI-TTS" },
    body: { model: "tts-1", input: INPUT, voice: "fable", response_format: "mp3", speed: 1 },
    expect: MP3,
  },
  {
    program: "Home Assistant openai_tts",
    call: "streamed, extra_payload",
    method: "POST",
    path: "/v1/audio/speech",
    hasKey: true,
    body: {
      model: "tts-1",
      input: INPUT,
      voice: "fable",
      response_format: "opus",
      speed: 1,
      stream_format: "audio",
      chat_template: "none",
    },
    expect: OPUS,
  },
  {
    program: "wyoming_openai",
    call: "voices",
    method: "GET",
    path: "/v1/audio/voices?legacy=true",
    hasKey: true,
    expect: namesIn("voices"),
  },
  {
    program: "wyoming_openai",
    call: "speech as wav",
    method: "POST",
    path: "/v1/audio/speech",
    hasKey: true,
    body: { model: "tts-1", voice: "alloy", input: INPUT, response_format: "wav", speed: 1 },
    expect: WAV,
  },
];
