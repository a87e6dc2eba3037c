import type { Hono } from "hono";
import type { DoorHost, HttpEnvironment, UpgradeHandler } from "runpod-worker/http";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { openConsentStore, openVoiceLibrary } from "../references/voices.ts";
import type { DoorParts } from "./door-parts.ts";
import { DoorService } from "./door-service.ts";
import type { PlatformLimits } from "./platform-limits.ts";
import { createElevenLabsDoor } from "./elevenlabs/elevenlabs-door.ts";
import { elevenLabsSocketRoutes } from "./elevenlabs/text-socket-routes.ts";
import { createFallbackDoor, createOpenAiDoor } from "./openai/openai-door.ts";
import { readVoiceTable } from "./openai/voice-table.ts";
import { createOpenApiDoor } from "./openapi/openapi-door.ts";
import type { WyomingServer } from "./wyoming/wyoming-server.ts";
import { createPlaygroundDoor } from "./playground-door.ts";
import { SocketDoors } from "./sockets/socket-doors.ts";
import { speechStreamRoute } from "./speech-stream/speech-stream-route.ts";

export { doorLines } from "./door-lines.ts";
export { LOAD_BALANCER_LIMITS } from "./platform-limits.ts";

export interface OpenDoorsOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly isDemo: () => boolean;
  /** What a platform in front of the server cuts off; null without one. */
  readonly limits: PlatformLimits | null;
  /** Told what doors use when the server is made; for those on ports of their own. */
  readonly onOpen?: (parts: DoorParts) => void;
}

/** What makes the doors in a server. */
export interface Doors {
  /** The apps in the order in which they are asked. */
  readonly doors: (host: DoorHost) => readonly Hono<HttpEnvironment>[];
  /** What answers requests for a WebSocket. */
  readonly onUpgrade: (host: DoorHost) => UpgradeHandler;
}

/**
 * The server for Wyoming clients, if it has a port; nothing is loaded for it otherwise.
 *
 * @throws {HiggsError} INVALID_INPUT when nothing can listen there
 */
export async function openWyoming(config: Config, logger: Logger, host: string): Promise<WyomingServer | null> {
  const { wyomingPort: port, maxTranscriptChars: maxTextChars } = config;
  if (port === 0) return null;
  const { WyomingServer: server } = await import("./wyoming/wyoming-server.ts");
  const made = await server.listen({ host, port, maxTextChars });
  logger.info("Wyoming clients can connect", { address: `tcp://${host}:${made.port}` });
  return made;
}

/**
 * Reads what the doors need beside the server.
 *
 * @throws {HiggsError} INVALID_INPUT when a setting of a door cannot be used
 */
export async function openDoors(options: OpenDoorsOptions): Promise<Doors> {
  const { config, logger, limits } = options;
  const openAiVoices = await readVoiceTable(config.openAiVoices);
  const own = { library: openVoiceLibrary(config), consents: openConsentStore(config), openAiVoices };
  const partsFor = (host: DoorHost): DoorParts => {
    return { ...options, ...own, host, service: new DoorService({ host, config, limits }) };
  };
  return {
    doors: (host) => {
      const parts = partsFor(host);
      const doors = [createElevenLabsDoor, createOpenAiDoor, createOpenApiDoor, createPlaygroundDoor];
      options.onOpen?.(parts);
      // Doors that have routes below `/v1` stand before the fallback.
      return [...doors, createFallbackDoor].map((create) => create(parts));
    },
    onUpgrade: (host) => {
      const parts = partsFor(host);
      const routes = [speechStreamRoute(parts), ...elevenLabsSocketRoutes(parts)];
      return new SocketDoors({ host, logger, routes, maxSockets: config.maxSockets }).upgrade;
    },
  };
}
