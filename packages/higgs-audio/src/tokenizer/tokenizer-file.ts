import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { HiggsError } from "@higgs-worker/errors";

/** The released `tokenizer.json` has 9 MB (17 MB with merges as pairs); more is not ours. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;

const TOKENIZER_FILE_NAME = "tokenizer.json";

/**
 * Reads a `tokenizer.json`, given its path or that of the folder that holds it. Throws MODEL_NOT_FOUND when there is none,
 * MODEL_CORRUPT when it is too large, not UTF-8 or not JSON, VOLUME_UNAVAILABLE when it cannot be read.
 */
export async function readTokenizerFile(fileOrFolder: string): Promise<{ source: string; content: unknown }> {
  const source = await findFile(fileOrFolder);
  const bytes = await readFile(source).catch((error: unknown) => {
    throw fileError(source, error);
  });
  try {
    return { source, content: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown };
  } catch (error) {
    throw new HiggsError("MODEL_CORRUPT", `Cannot read ${source}: it is not JSON in UTF-8`, { cause: error });
  }
}

async function findFile(fileOrFolder: string): Promise<string> {
  const isFolder = (await statFile(fileOrFolder)).isDirectory();
  const source = isFolder ? path.join(fileOrFolder, TOKENIZER_FILE_NAME) : fileOrFolder;
  const { size } = await statFile(source);
  if (size > MAX_FILE_BYTES) {
    throw new HiggsError(
      "MODEL_CORRUPT",
      `Cannot read ${source}: it is too large for a tokenizer (got ${size} bytes, limit ${MAX_FILE_BYTES})`,
    );
  }
  return source;
}

function statFile(source: string) {
  return stat(source).catch((error: unknown) => {
    throw fileError(source, error);
  });
}

function fileError(source: string, error: unknown): HiggsError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new HiggsError("MODEL_NOT_FOUND", `Cannot read the tokenizer: ${source} does not exist`, { cause: error });
  }
  return new HiggsError("VOLUME_UNAVAILABLE", `Cannot read the tokenizer: ${source} gives ${code}`, { cause: error });
}
