import type { Hono } from "hono";
import type { DoorHost, HttpEnvironment } from "runpod-worker/http";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { openConsentStore, openVoiceLibrary } from "../references/voices.ts";
import type { DoorParts } from "./door-parts.ts";
import { DoorService } from "./door-service.ts";
import type { PlatformLimits } from "./platform-limits.ts";
import { createFallbackDoor, createOpenAiDoor } from "./openai/openai-door.ts";
import { readVoiceTable } from "./openai/voice-table.ts";
import { createPlaygroundDoor } from "./playground-door.ts";

export { LOAD_BALANCER_LIMITS } from "./platform-limits.ts";

export interface OpenDoorsOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly isDemo: () => boolean;
  /** What a platform in front of the server cuts off; null without one. */
  readonly limits: PlatformLimits | null;
}

/**
 * Reads what the doors need beside the server, and gives what makes them in it: the apps in the order in which they are asked.
 *
 * @throws {HiggsError} INVALID_INPUT when a setting of a door cannot be used
 */
export async function openDoors(
  options: OpenDoorsOptions,
): Promise<(host: DoorHost) => readonly Hono<HttpEnvironment>[]> {
  const { config, limits } = options;
  const openAiVoices = await readVoiceTable(config.openAiVoices);
  const own = { library: openVoiceLibrary(config), consents: openConsentStore(config), openAiVoices };
  return (host) => {
    const parts: DoorParts = { ...options, ...own, host, service: new DoorService({ host, config, limits }) };
    // Doors that have routes below `/v1` stand before the fallback.
    return [createOpenAiDoor(parts), createPlaygroundDoor(parts), createFallbackDoor(parts)];
  };
}
