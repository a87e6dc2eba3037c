import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readRegularFile } from "@higgs-worker/base";

const SHA256 = /^[0-9a-f]{64}$/;

/** Three short lines: revision, ETag, time. */
const MAX_METADATA_BYTES = 4096;

/**
 * The SHA-256 of a weight file as published on the Hub, or null when unknown. In a Hugging Face cache a large file is a link
 * to a blob named after its hash; next to a download into another folder, the tools write it to
 * `.cache/huggingface/download/NAME.metadata`.
 */
export async function publishedHash(path: string): Promise<string | null> {
  const target = await realpath(path).catch(() => path);
  if (basename(dirname(target)) === "blobs" && SHA256.test(basename(target))) return basename(target);
  const metadata = join(dirname(path), ".cache", "huggingface", "download", `${basename(path)}.metadata`);
  const text = await readRegularFile(metadata, {
    subject: "read the download's metadata",
    missing: "MODEL_NOT_FOUND",
    refused: "MODEL_CORRUPT",
    maxBytes: MAX_METADATA_BYTES,
  }).catch(() => null);
  const etag = text?.toString("utf8").split("\n")[1]?.trim() ?? "";
  return SHA256.test(etag) ? etag : null;
}
