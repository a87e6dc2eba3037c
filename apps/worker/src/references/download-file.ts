import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { HiggsError, isHiggsError, makeFolders } from "@higgs-worker/base";

export interface DownloadOptions {
  readonly url: string;
  /** Exactly this is taken, and nothing larger is read. */
  readonly bytes: number;
  readonly sha256: string;
  /** Where the file grows; what an interrupted download left there is continued. */
  readonly partialPath: string;
  readonly attempts?: number;
  readonly retryMs?: number;
  /** Silence after which a server is given up. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Downloads a file whose hash is known, continuing where an earlier download stopped, and gives its bytes. The partial file
 * is removed when the file is complete, or wrong.
 *
 * @throws HiggsError VOLUME_UNAVAILABLE when it cannot be had or is not the expected one, CANCELLED.
 */
export async function downloadFile(options: DownloadOptions): Promise<Buffer> {
  const { attempts = 3, retryMs = 1_000, signal, partialPath } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      await makeFolders(dirname(partialPath));
      await continueDownload(options);
      const bytes = await readFile(partialPath);
      await rm(partialPath, { force: true });
      if (createHash("sha256").update(bytes).digest("hex") === options.sha256) return bytes;
      throw unavailable("its content is not the expected one (SHA-256 differs)");
    } catch (error) {
      if (signal?.aborted === true) throw new HiggsError("CANCELLED", "download the file", "the command was stopped");
      if (attempt >= attempts) throw isHiggsError(error) ? error : unavailable(reasonOf(error), error);
      await sleep(retryMs * attempt);
    }
  }
}

async function continueDownload(options: DownloadOptions): Promise<void> {
  const { url, bytes, partialPath, timeoutMs = 30_000, signal } = options;
  const have = await stat(partialPath).then(
    ({ size }) => size,
    () => 0,
  );
  if (have === bytes) return;
  const isContinued = have > 0 && have < bytes;
  const silence = new AbortController();
  const stop = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  const timer = setTimeout(() => silence.abort(), timeoutMs);
  try {
    const headers: Record<string, string> = isContinued ? { range: `bytes=${have}-` } : {};
    const response = await fetch(url, { signal: stop, headers });
    const isPart = response.status === 206 && isContinued;
    if (!isPart && response.status !== 200) {
      await response.body?.cancel();
      throw unavailable(`the server answers with status ${response.status}`);
    }
    if (response.body === null) throw unavailable("the server sends nothing");
    await pipeline(
      Readable.fromWeb(response.body as never),
      bounded(bytes - (isPart ? have : 0), () => timer.refresh()),
      createWriteStream(partialPath, { flags: isPart ? "a" : "w" }),
      { signal: stop },
    );
  } finally {
    clearTimeout(timer);
  }
  const { size } = await stat(partialPath);
  if (size < bytes) throw unavailable(`it is cut off (got ${size} bytes, expected ${bytes})`);
}

/** Passes so many bytes and no more. */
function bounded(maxBytes: number, onChunk: () => void): Transform {
  let left = maxBytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onChunk();
      left -= chunk.length;
      if (left < 0) done(unavailable("the server sends more than expected"));
      else done(null, chunk);
    },
  });
}

function unavailable(why: string, cause?: unknown): HiggsError {
  return new HiggsError("VOLUME_UNAVAILABLE", "download the file", why, { cause });
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "connection failed";
}
