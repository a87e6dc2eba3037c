import type { DoorParts } from "../door-parts.ts";
import { SentenceSpeaker } from "../live-text/sentence-speaker.ts";
import { openAiErrorBody } from "../openai/openai-error.ts";
import { OpenAiVoices } from "../openai/voice-table.ts";
import type { SocketRoute } from "../sockets/socket-doors.ts";
import { CONFIG_TIMEOUT_MS, MAX_CONFIG_MESSAGE_BYTES } from "./limits.ts";
import { readSessionConfig } from "./session-config.ts";
import { SpeechStreamSession } from "./speech-stream-session.ts";

const PATH = /^(?:\/v1)?\/audio\/speech\/stream\/?$/;

/** The WebSocket that vLLM-Omni and SGLang-Omni have, too. */
export function speechStreamRoute(parts: DoorParts): SocketRoute {
  const { service, config, logger } = parts;
  const voices = new OpenAiVoices({ library: parts.library, table: parts.openAiVoices, isDemo: parts.isDemo });
  return {
    path: PATH,
    keyHeaders: ["authorization"],
    takesLateKey: false,
    maxMessageBytes: MAX_CONFIG_MESSAGE_BYTES,
    responseHeaders: {},
    failureBody: openAiErrorBody,
    open: ({ peer }) =>
      new SpeechStreamSession({
        peer,
        readConfig: async (message) => {
          const read = await readSessionConfig(message, { voices, maxInputChars: config.openAiMaxInputChars });
          service.check(read.input);
          return read;
        },
        speakerFor: ({ input }) => new SentenceSpeaker(service, input, config.contextLength),
        onDefect: (error) => logger.error("a WebSocket failed", { reason: String(error) }),
        configTimeoutMs: CONFIG_TIMEOUT_MS,
        idleTimeoutMs: config.socketIdleSeconds * 1000,
      }),
  };
}
