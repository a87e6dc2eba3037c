import { existsSync } from "node:fs";
import { readdir, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { systemReason } from "@higgs-worker/base";
import type { Config } from "../config/settings.ts";
import { cacheDirOf } from "../model/cache-dir.ts";
import { probeStore } from "../storage/s3/probe-store.ts";
import type { CheckOutcome, SelfCheck } from "./check-board.ts";

/** Less than this, and a long recording or a conversion fills the disk. */
const LEAST_FREE_BYTES = 512 * 1024 * 1024;

/** The network volume, if one was mounted when the worker started. */
export function volumeCheck({ volumeDir }: Pick<Config, "volumeDir">): SelfCheck {
  const isMounted = existsSync(volumeDir);
  return { name: "volume", run: () => (isMounted ? readVolume(volumeDir) : null) };
}

/** Listing asks the server; a status may come from a cache. */
async function readVolume(folder: string): Promise<CheckOutcome> {
  try {
    await readdir(folder);
    return { ok: true, facts: { free_bytes: await freeBytesOf(folder) } };
  } catch (error) {
    return { ok: false, reason: systemReason(error) };
  }
}

/** Free space where this worker writes, by purpose. */
export function diskCheck(config: Config): SelfCheck {
  const spool = config.spoolDir === null ? {} : { spool: config.spoolDir };
  const folders: Readonly<Record<string, string>> = {
    cache: cacheDirOf(config),
    output: config.outputDir,
    temporary: tmpdir(),
    ...spool,
  };
  return {
    name: "disk",
    run: async () => {
      const free: Record<string, number> = {};
      for (const [purpose, folder] of Object.entries(folders)) free[purpose] = await freeBytesOf(existing(folder));
      const scarce = Object.entries(free).filter(([, bytes]) => bytes < LEAST_FREE_BYTES);
      const reason = scarce.map(([purpose, bytes]) => `${purpose} has ${bytes} bytes left`).join(", ");
      return {
        ok: scarce.length === 0,
        ...(scarce.length > 0 && { reason: `${reason} (limit ${LEAST_FREE_BYTES})` }),
        facts: { free_bytes: free },
      };
    },
  };
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The folder, or the nearest one above it that is there already. */
function existing(folder: string): string {
  let found = folder;
  while (!existsSync(found) && dirname(found) !== found) found = dirname(found);
  return found;
}

/** The store of jobs that do not bring one. */
export function storeCheck(config: Config): SelfCheck {
  return {
    name: "s3",
    run: async (signal) => {
      const problem = await probeStore(config, signal);
      if (problem === undefined) return null;
      return problem === null ? { ok: true } : { ok: false, reason: problem };
    },
  };
}
