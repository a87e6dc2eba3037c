import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { FitnessCheck } from "./fitness-checks.ts";

/** A file without which the worker cannot serve. */
export interface RequiredFile {
  readonly path: string;
  /** Exact size in bytes. */
  readonly sizeBytes?: number | undefined;
  /** SHA-256 as 64 hexadecimal digits; reading it takes as long as reading the file. */
  readonly sha256?: string | undefined;
}

/** A fitness check that the model files are present, complete and correct; the official SDK has none. */
export function modelFilesCheck(files: readonly RequiredFile[], name = "model_files"): FitnessCheck {
  return {
    name,
    check: async () => {
      for (const file of files) await checkFile(file);
    },
  };
}

async function checkFile({ path, sizeBytes, sha256 }: RequiredFile): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) throw new Error(`Cannot use the model: ${path} is missing`);
  if (sizeBytes !== undefined && found.size !== sizeBytes) {
    throw new Error(`Cannot use the model: ${path} has the wrong size (got ${found.size} bytes, limit ${sizeBytes})`);
  }
  if (sha256 === undefined) return;
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  if (hash.digest("hex") !== sha256.toLowerCase()) {
    throw new Error(`Cannot use the model: ${path} has unexpected content (SHA-256 differs)`);
  }
}
