import { HiggsError } from "@higgs-worker/base";
import { drawSeed } from "@higgs-worker/higgs-audio";
import type { DoorParts } from "../door-parts.ts";
import { SentenceSpeaker } from "../live-text/sentence-speaker.ts";
import { OpenAiVoices } from "../openai/voice-table.ts";
import type { SocketOpening, SocketRoute } from "../sockets/socket-doors.ts";
import { ALIGNMENT_HEADERS, KEY_HEADERS } from "./elevenlabs-door.ts";
import { elevenLabsErrorBody } from "./elevenlabs-error.ts";
import { readOutputFormat } from "./output-format.ts";
import { readSpeechFields } from "./speech-fields.ts";
import { TextSocket, type TextSocketSettings } from "./text-socket.ts";

const PATH = /^\/v1\/text-to-speech\/(?<voice>[^/]+)\/(?<kind>multi-stream-input|stream-input)\/?$/;
const MAX_MESSAGE_BYTES = 128 * 1024;
/** In seconds, as ElevenLabs has them. */
const INACTIVITY = { default: 20, max: 180 } as const;
const MAX_SEED = 2 ** 32 - 1;

/** ElevenLabs' WebSockets. */
export function elevenLabsSocketRoutes(parts: DoorParts): readonly SocketRoute[] {
  const { host, service, config, logger } = parts;
  const voices = new OpenAiVoices({ library: parts.library, table: parts.openAiVoices, isDemo: parts.isDemo });
  return [
    {
      path: PATH,
      keyHeaders: KEY_HEADERS,
      takesLateKey: true,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      responseHeaders: ALIGNMENT_HEADERS,
      failureBody: elevenLabsErrorBody,
      open: (opening) =>
        new TextSocket({
          peer: opening.peer,
          isMulti: opening.groups["kind"] === "multi-stream-input",
          awaitedKey: opening.isAuthorized ? null : (host.access.apiKey ?? null),
          settings: () => readSettings(opening, voices),
          speakerFor: ({ voice, seed }, first) => {
            const input = { ...readSpeechFields(first), ref_audio: voice, seed: seed ?? drawSeed() };
            return new SentenceSpeaker(service, input, config.contextLength);
          },
          onDefect: (error) => logger.error("a WebSocket failed", { reason: String(error) }),
        }),
    },
  ];
}

async function readSettings({ query, groups }: SocketOpening, voices: OpenAiVoices): Promise<TextSocketSettings> {
  const outputFormat = readOutputFormat(query.get("output_format") ?? undefined);
  const seed = wholeNumber(query, "seed", MAX_SEED);
  const seconds = wholeNumber(query, "inactivity_timeout", INACTIVITY.max) ?? INACTIVITY.default;
  const voice = await voices.referenceOf(decoded(groups["voice"] ?? ""));
  return { voice, outputFormat, seed, inactivityMs: Math.max(1, seconds) * 1000 };
}

function wholeNumber(query: URLSearchParams, name: string, max: number): number | null {
  const text = query.get(name);
  if (text === null || text === "") return null;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  const why = `${name} must be a whole number (limit 0 … ${max})`;
  throw new HiggsError("INVALID_INPUT", "open the WebSocket", why, { problems: [why] });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
