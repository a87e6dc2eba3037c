import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../config/settings.ts";

/** Where audio that could not be stored is kept: as set, else on the volume if it is mounted, else nowhere. */
export function spoolFolderOf(config: Config): string | null {
  if (config.spoolDir !== null) return config.spoolDir;
  return existsSync(config.volumeDir) ? join(config.volumeDir, "higgs_audio", "spool") : null;
}
