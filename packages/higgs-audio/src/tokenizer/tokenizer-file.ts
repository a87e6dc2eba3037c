import { stat } from "node:fs/promises";
import path from "node:path";
import { HiggsError, readRegularFile } from "@higgs-worker/base";

/** The released `tokenizer.json` has 9 MB (17 MB with merges as pairs); more is not ours. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

const TOKENIZER_FILE_NAME = "tokenizer.json";

/**
 * Reads a `tokenizer.json`, given its path or that of the folder that holds it.
 *
 * @throws {HiggsError} MODEL_NOT_FOUND when there is none
 * @throws {HiggsError} MODEL_CORRUPT when it is not a regular file, too large, not UTF-8 or not JSON
 * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be read
 */
export async function readTokenizerFile(fileOrFolder: string): Promise<{ source: string; content: unknown }> {
  const isFolder = await stat(fileOrFolder).then(
    (status) => status.isDirectory(),
    () => false,
  );
  const source = isFolder ? path.join(fileOrFolder, TOKENIZER_FILE_NAME) : fileOrFolder;
  const bytes = await readRegularFile(source, {
    subject: "read the tokenizer",
    missing: "MODEL_NOT_FOUND",
    refused: "MODEL_CORRUPT",
    maxBytes: MAX_FILE_BYTES,
  });
  try {
    return { source, content: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown };
  } catch (error) {
    throw new HiggsError("MODEL_CORRUPT", `read ${source}`, "it is not JSON in UTF-8", { cause: error });
  }
}
