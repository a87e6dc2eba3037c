import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/settings.ts";

/** Where converted weights are kept: as set, else on the volume if it is mounted, else in the user's cache folder. */
export function cacheDirOf(config: Config): string {
  if (config.cacheDir !== null) return config.cacheDir;
  if (existsSync(config.volumeDir)) return join(config.volumeDir, "higgs_audio", "cache");
  const userCacheDir = config.xdgCacheDir ?? join(config.homeDir ?? ".", ".cache");
  return join(userCacheDir, "higgs-audio");
}
