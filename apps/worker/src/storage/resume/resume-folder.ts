import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../config/settings.ts";

/** Where the finished chunks of jobs are kept: as set, else on the volume if it is mounted, else nowhere. */
export function resumeFolderOf(config: Config): string | null {
  if (config.resume === false) return null;
  if (config.resumeDir !== null) return config.resumeDir;
  return existsSync(config.volumeDir) ? join(config.volumeDir, "higgs_audio", "jobs") : null;
}
