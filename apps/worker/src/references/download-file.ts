import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { HiggsError, isHiggsError, makeFolders } from "@higgs-worker/base";
import { discardBody, sendHttp } from "../network/http-request.ts";
import { describeNetworkFailure } from "../network/network-failure.ts";
import { proxyFor, type ProxySettings } from "../network/proxy.ts";
import { readParts } from "../network/read-body.ts";

export interface DownloadOptions {
  readonly url: string;
  /** The exact size; nothing larger is read. */
  readonly bytes: number;
  readonly sha256: string;
  /** The partial file; an interrupted download is resumed. */
  readonly partialPath: string;
  readonly attempts?: number;
  readonly retryMs?: number;
  /** Longest silence of the server. */
  readonly timeoutMs?: number;
  /** The environment's proxies; none by default. */
  readonly proxies?: ProxySettings | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads a file whose hash is known, resuming an earlier download, and returns its bytes. The partial file is removed
 * when the file is complete or wrong.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be downloaded or is not the expected file
 * @throws {HiggsError} CANCELLED when the signal fires
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
      throw unavailable("its SHA-256 is not the expected one");
    } catch (error) {
      if (signal?.aborted === true) throw new HiggsError("CANCELLED", "download the file", "the command was stopped");
      if (attempt >= attempts)
        throw isHiggsError(error) ? error : unavailable(describeNetworkFailure(error).reason, error);
      await sleep(retryMs * attempt);
    }
  }
}

async function continueDownload(options: DownloadOptions): Promise<void> {
  const { bytes, partialPath, timeoutMs = 30_000, signal, proxies } = options;
  const url = new URL(options.url);
  const have = await sizeOf(partialPath);
  if (have === bytes) return;
  const isContinued = have > 0 && have < bytes;
  const silence = new AbortController();
  const stop = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  const timer = setTimeout(() => silence.abort(), timeoutMs);
  try {
    const headers: Record<string, string> = isContinued ? { range: `bytes=${have}-` } : {};
    const proxy = proxies === undefined ? null : proxyFor(url, proxies);
    const answer = await sendHttp({ method: "GET", url, headers, proxy, redirect: "follow", signal: stop });
    const isPart = answer.status === 206 && isContinued;
    if (!isPart && answer.status !== 200) {
      await discardBody(answer);
      throw unavailable(`the server answered with status ${answer.status}`);
    }
    // One extra byte shows that the file is larger.
    const maxBytes = bytes + 1 - (isPart ? have : 0);
    await pipeline(
      readParts(answer.body, { maxBytes, onPart: () => timer.refresh() }),
      createWriteStream(partialPath, { flags: isPart ? "a" : "w" }),
      { signal: stop },
    );
  } finally {
    clearTimeout(timer);
  }
  const size = await sizeOf(partialPath);
  if (size < bytes) throw unavailable(`it is cut off (got ${size} bytes, expected ${bytes})`);
  if (size > bytes) {
    await rm(partialPath, { force: true });
    throw unavailable("the server sent more than expected");
  }
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function unavailable(why: string, cause?: unknown): HiggsError {
  return new HiggsError("VOLUME_UNAVAILABLE", "download the file", why, { cause });
}
