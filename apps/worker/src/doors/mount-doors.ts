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
import { createPlaygroundDoor } from "./playground-door.ts";
import { SocketDoors } from "./sockets/socket-doors.ts";
import { speechStreamRoute } from "./speech-stream/speech-stream-route.ts";

export { LOAD_BALANCER_LIMITS } from "./platform-limits.ts";

export interface OpenDoorsOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly isDemo: () => boolean;
  /** What a platform in front of the server cuts off; null without one. */
  readonly limits: PlatformLimits | null;
}

/** What makes the doors in a server. */
export interface Doors {
  /** The apps in the order in which they are asked. */
  readonly doors: (host: DoorHost) => readonly Hono<HttpEnvironment>[];
  /** What answers requests for a WebSocket. */
  readonly onUpgrade: (host: DoorHost) => UpgradeHandler;
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
      const doors = [createElevenLabsDoor(parts), createOpenAiDoor(parts), createPlaygroundDoor(parts)];
      // Doors that have routes below `/v1` stand before the fallback.
      return [...doors, createFallbackDoor(parts)];
    },
    onUpgrade: (host) => {
      const parts = partsFor(host);
      const routes = [speechStreamRoute(parts), ...elevenLabsSocketRoutes(parts)];
      return new SocketDoors({ host, logger, routes, maxSockets: config.maxSockets }).upgrade;
    },
  };
}
