import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { readRegularFile } from "@higgs-worker/base";
import type { Environment } from "../config/load.ts";

const MAX_BYTES = 1024 * 1024;

/**
 * The variables of a file in the form of `.env`: `NAME=value` lines, quotes, comments, `export`.
 *
 * @throws {HiggsError} INVALID_INPUT when it does not exist, is not a regular file, is too large, or cannot be read
 */
export async function readEnvFile(path: string): Promise<Environment> {
  const codes = { missing: "INVALID_INPUT", refused: "INVALID_INPUT", failed: "INVALID_INPUT" } as const;
  const bytes = await readRegularFile(path, { subject: "read the variables", maxBytes: MAX_BYTES, ...codes });
  const parsed = parseEnv(bytes.toString("utf8").replace(/^\uFEFF/, ""));
  return Object.fromEntries(Object.entries(parsed).map(([name, value]) => [lastLineOf(name), value]));
}

/** Node takes a line without `=` for the beginning of the next one's name, which would lose that variable. */
function lastLineOf(name: string): string {
  const line = name.slice(name.lastIndexOf("\n") + 1);
  return line.replace(/^\s*export\s+/, "").trim();
}

/**
 * The environment with the variables of `.env` in a folder, which those of the process override; an empty variable of the
 * process counts as not set.
 *
 * @throws {HiggsError} INVALID_INPUT as `readEnvFile`, unless there is no `.env`
 */
export async function withDotEnv(env: Environment, folder: string): Promise<Environment> {
  const path = join(folder, ".env");
  if (!existsSync(path)) return env;
  const own = Object.entries(env).filter(([, value]) => value !== undefined && value !== "");
  return { ...(await readEnvFile(path)), ...Object.fromEntries(own) };
}
