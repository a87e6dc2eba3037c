import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConsentStore, VoiceLibrary } from "@higgs-worker/higgs-audio";
import type { Config } from "../config/settings.ts";
import { ClipCache } from "./clip-cache.ts";
import type { ReferenceServices } from "./prepare-references.ts";

/** The voices that ship in the repository; this file is as deep in `dist` as in `src`. */
const BUNDLED_VOICES_DIR = join(import.meta.dirname, "..", "..", "..", "..", "demo-checkpoint", "voices");

/** Where voices are added: as set, else on the volume if it is mounted, else in the user's data folder. */
export function voicesDirOf(config: Config): string {
  if (config.voicesDir !== null) return config.voicesDir;
  if (existsSync(config.volumeDir)) return join(config.volumeDir, "higgs_audio", "voices");
  return join(config.homeDir ?? ".", ".local", "share", "higgs-audio", "voices");
}

/** The voices that jobs may name: the user's first, then the bundled ones. */
export function openVoiceLibrary(config: Config): VoiceLibrary {
  return new VoiceLibrary([
    { path: voicesDirOf(config), origin: "own" },
    { path: BUNDLED_VOICES_DIR, origin: "bundled" },
  ]);
}

/** The recorded consents of people whose voices are cloned, below the folder of the voices. */
export function openConsentStore(config: Config): ConsentStore {
  return new ConsentStore(join(voicesDirOf(config), "consents"));
}

/** Cache size for decoded clips: eleven minutes of audio. */
const CLIP_CACHE_BYTES = 64e6;

/** What jobs need for `ref_audio`; one for all jobs of a process, so that clips are decoded once. */
export function createReferenceServices(
  config: Config,
  options: Pick<ReferenceServices, "fetch" | "limits"> = {},
): ReferenceServices {
  return {
    ...options,
    fetch: { proxies: config, ...options.fetch },
    voices: openVoiceLibrary(config),
    clips: new ClipCache(CLIP_CACHE_BYTES),
    contextLength: config.contextLength,
  };
}
