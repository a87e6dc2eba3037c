import type { ConsentStore, VoiceLibrary } from "@higgs-worker/higgs-audio";
import type { DoorHost } from "runpod-worker/http";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import type { DoorService } from "./door-service.ts";
import type { VoiceTable } from "./openai/voice-table.ts";

/** What every door may use. */
export interface DoorParts {
  readonly host: DoorHost;
  readonly config: Config;
  readonly logger: Logger;
  readonly service: DoorService;
  readonly library: VoiceLibrary;
  readonly consents: ConsentStore;
  /** The user's table of voices for names that OpenAI's clients send. */
  readonly openAiVoices: VoiceTable;
  /** Whether the demo model speaks. */
  readonly isDemo: () => boolean;
}
