import { setTimeout as sleep } from "node:timers/promises";
import { HiggsError, type ErrorCode } from "@higgs-worker/base";
import { discardBody, type HttpAnswer, sendHttp } from "../network/http-request.ts";
import { describeNetworkFailure } from "../network/network-failure.ts";
import { proxyFor, type ProxySettings } from "../network/proxy.ts";
import { readBody } from "../network/read-body.ts";

export interface HubClientOptions {
  /** Address of the Hub or a mirror of it, such as `https://huggingface.co`. */
  readonly endpoint: string;
  /** For private and gated repositories; null without one. Sent to the endpoint only. */
  readonly token: string | null;
  readonly proxies: ProxySettings;
  readonly signal: AbortSignal;
  /** Consecutive failures of one request before it is given up; default 6. */
  readonly attempts?: number;
  /** Waits between attempts; only set by tests. */
  readonly wait?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** One file of a repository. */
export interface HubFile {
  /** Inside the repository, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256 for a large file; for a small one that git holds itself the hash of its blob. */
  readonly hash: { readonly kind: "sha256" | "git-blob"; readonly hex: string };
}

const COMMIT = /^[0-9a-f]{40}$/;
const MAX_REDIRECTS = 8;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Longest silence of a server. */
const SILENCE_MS = 60_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** Longest wait that a server may ask for. */
const MAX_RETRY_AFTER_MS = 300_000;
const DOING = "download the model";

/** Hugging Face's Hub over plain HTTPS: what revision there is, its files, and their bytes. */
export class HubClient {
  readonly #options: HubClientOptions;
  readonly #endpoint: URL;

  constructor(options: HubClientOptions) {
    this.#options = options;
    this.#endpoint = new URL(options.endpoint.replace(/\/*$/, "/"));
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /**
   * The commit that a branch or tag means; a commit means itself.
   *
   * @throws {HiggsError} MODEL_NOT_FOUND when there is none, access is refused, or the Hub cannot be reached
   * @throws {HiggsError} CANCELLED when the signal fires
   */
  async commitOf(repository: string, revision: string): Promise<string> {
    if (COMMIT.test(revision)) return revision;
    const path = `api/models/${repository}/revision/${encodeURIComponent(revision)}`;
    const { content } = await this.#readJson(new URL(path, this.#endpoint), repository);
    const commit = isObject(content) ? content["sha"] : undefined;
    if (typeof commit === "string" && COMMIT.test(commit)) return commit;
    throw failure(
      "MODEL_NOT_FOUND",
      `the answer for ${repository} names no commit (is ${this.#endpoint.origin} a Hub?)`,
    );
  }

  /**
   * All files of a commit.
   *
   * @throws as `commitOf`
   */
  async listFiles(repository: string, commit: string): Promise<HubFile[]> {
    const files: HubFile[] = [];
    let next: URL | null = new URL(`api/models/${repository}/tree/${commit}?recursive=true`, this.#endpoint);
    while (next !== null) {
      const page: JsonPage = await this.#readJson(next, repository);
      if (!Array.isArray(page.content))
        throw failure("MODEL_NOT_FOUND", `the list of files of ${repository} is not a list`);
      files.push(...page.content.flatMap((entry) => toFile(entry, repository)));
      next = page.next;
    }
    return files;
  }

  /**
   * Bytes of a file from `start` up to, not including, `end`. `onPart` gets them in order. Broken connections are continued.
   *
   * @throws {HiggsError} MODEL_CORRUPT when the server sends more than there is
   * @throws what `onPart` throws
   * @throws as `commitOf`
   */
  async download(
    { repository, commit, file, start, end }: RangeToDownload,
    onPart: (bytes: Uint8Array, position: number) => Promise<void>,
  ): Promise<void> {
    const path = file.path.split("/").map(encodeURIComponent).join("/");
    const url = new URL(`${repository}/resolve/${commit}/${path}`, this.#endpoint);
    const at = { position: start };
    let failures = 0;
    while (at.position < end) {
      const before = at.position;
      try {
        await this.#once(url, { repository, range: `bytes=${at.position}-${end - 1}` }, async (answer, alive) => {
          checkRange(answer, { file, end, position: at.position });
          for await (const part of answer.body ?? []) {
            alive();
            if (at.position + part.byteLength > end) {
              throw failure("MODEL_CORRUPT", `the server sent more of ${file.path} than was asked for`);
            }
            await onPart(part, at.position);
            at.position += part.byteLength;
          }
        });
        if (at.position < end) throw new Interrupted("the connection ended early");
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        failures = at.position > before ? 1 : failures + 1;
        await this.#delay(error, failures);
      }
    }
  }

  async #readJson(url: URL, repository: string): Promise<JsonPage> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.#once(url, { repository, range: null }, async (answer, alive) => {
          const { bytes, isWhole } = await readBody(answer.body, { maxBytes: MAX_ANSWER_BYTES, onPart: alive });
          if (!isWhole) throw failure("MODEL_NOT_FOUND", `the answer for ${repository} is too long`);
          const link = /<([^>]+)>\s*;\s*rel="next"/.exec(answer.headers.get("link") ?? "")?.[1];
          // A page of another host would get no token and might be anything.
          const next = link === undefined ? null : new URL(link, url);
          return { content: parseJson(bytes, repository), next: next?.origin === url.origin ? next : null };
        });
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        await this.#delay(error, failures);
      }
    }
  }

  /** One request with its redirects; `use` reads the answer. Throws `Interrupted` for what may work the next time. */
  async #once<T>(
    start: URL,
    { repository, range }: { readonly repository: string; readonly range: string | null },
    use: (answer: HttpAnswer, alive: () => void) => Promise<T>,
  ): Promise<T> {
    const { token, proxies, signal } = this.#options;
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    let url = start;
    try {
      for (let redirects = 0; ; redirects++) {
        // The Hub sends elsewhere for large files, with addresses that are signed; the token is not theirs.
        const isHub = url.origin === this.#endpoint.origin;
        const answer = await sendHttp({
          method: "GET",
          url,
          headers: {
            "accept-encoding": "identity",
            ...(range !== null && { range }),
            ...(isHub && token !== null && { authorization: `Bearer ${token}` }),
          },
          proxy: proxyFor(url, proxies),
          redirect: "manual",
          signal: AbortSignal.any([signal, silence.signal]),
        });
        const location = answer.headers.get("location");
        if (answer.status >= 300 && answer.status < 400 && location !== null) {
          await discardBody(answer);
          url = nextUrl(location, url, redirects);
          continue;
        }
        if (answer.status === 200 || answer.status === 206) return await use(answer, () => void timer.refresh());
        await discardBody(answer);
        throw refusal(answer, repository, isHub, token !== null);
      }
    } catch (error) {
      throw this.#asInterruption(error, silence.signal.aborted);
    } finally {
      clearTimeout(timer);
    }
  }

  #asInterruption(error: unknown, isSilent: boolean): unknown {
    if (this.signal.aborted) return cancelled();
    if (error instanceof HiggsError || error instanceof Interrupted) return error;
    if (isSilent) return new Interrupted(`the server was silent (limit ${SILENCE_MS / 1000} s)`);
    if (isFileError(error)) return error;
    const { reason, isPermanent } = describeNetworkFailure(error);
    return isPermanent ? failure("MODEL_NOT_FOUND", reason) : new Interrupted(reason);
  }

  async #delay(interruption: Interrupted, failures: number): Promise<void> {
    const { attempts = 6, wait = waitFor } = this.#options;
    if (failures >= attempts) {
      throw failure("MODEL_NOT_FOUND", `${interruption.message} (${failures} attempts); the same command continues it`);
    }
    const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
    await wait(Math.min(MAX_RETRY_AFTER_MS, interruption.retryAfterMs ?? backoffMs), this.signal).catch(
      () => undefined,
    );
    if (this.signal.aborted) throw cancelled();
  }
}

export interface RangeToDownload {
  readonly repository: string;
  readonly commit: string;
  readonly file: HubFile;
  readonly start: number;
  readonly end: number;
}

interface JsonPage {
  readonly content: unknown;
  readonly next: URL | null;
}

/** What may work when it is tried again. */
class Interrupted extends Error {
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

function failure(code: ErrorCode, reason: string): HiggsError {
  return new HiggsError(code, DOING, reason);
}

function cancelled(): HiggsError {
  return failure("CANCELLED", "it was stopped; the same command continues it");
}

function waitFor(delayMs: number, signal: AbortSignal): Promise<void> {
  return sleep(delayMs, undefined, { signal });
}

/** Errors of writing come through the same call as those of the connection. */
function isFileError(error: unknown): boolean {
  return (
    error instanceof Error &&
    "syscall" in error &&
    /^(write|open|ftruncate|fsync|rename)$/.test(String(error.syscall)) &&
    !("address" in error)
  );
}

function nextUrl(location: string, from: URL, redirects: number): URL {
  if (redirects >= MAX_REDIRECTS)
    throw failure("MODEL_NOT_FOUND", `the server redirects too often (limit ${MAX_REDIRECTS})`);
  if (!URL.canParse(location, from.href))
    throw failure("MODEL_NOT_FOUND", "the server redirects to something that is not an address");
  const url = new URL(location, from);
  const isAllowed = url.protocol === "https:" || (url.protocol === "http:" && from.protocol === "http:");
  if (!isAllowed) throw failure("MODEL_NOT_FOUND", `the server redirects from ${from.protocol} to ${url.protocol}`);
  return url;
}

function refusal(answer: HttpAnswer, repository: string, isHub: boolean, hasToken: boolean): Error {
  const { status } = answer;
  const code = answer.headers.get("x-error-code") ?? "";
  if (status === 429 || status >= 500 || status === 408) {
    return new Interrupted(`the server answered with status ${status}`, retryAfterMs(answer));
  }
  // A signed address that has run out: the Hub gives a new one.
  if (!isHub && (status === 401 || status === 403))
    return new Interrupted(`the file server answered with status ${status}`);
  if (code === "GatedRepo" || status === 403) {
    const token = hasToken ? "the account of HF_TOKEN has not done so" : "then set HF_TOKEN to a token of that account";
    return failure(
      "MODEL_NOT_FOUND",
      `${repository} is gated: accept its license at https://huggingface.co/${repository} (${token})`,
    );
  }
  if (status === 401) {
    const why = hasToken ? "HF_TOKEN is not valid, or there is" : "it needs a token in HF_TOKEN, or there is";
    return failure("MODEL_NOT_FOUND", `access to ${repository} is refused: ${why} no such repository`);
  }
  if (status === 404) {
    const what =
      code === "RevisionNotFound"
        ? "has no such revision"
        : code === "EntryNotFound"
          ? "lacks a file"
          : "was not found";
    return failure("MODEL_NOT_FOUND", `${repository} ${what}`);
  }
  return failure("MODEL_NOT_FOUND", `the server answered with status ${status}`);
}

/** Seconds or a date. */
function retryAfterMs(answer: HttpAnswer): number | null {
  const text = answer.headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - Date.now());
}

/** A server may ignore the range; then only a file's beginning is what was asked for. */
function checkRange(
  answer: HttpAnswer,
  { file, position, end }: { readonly file: HubFile; readonly position: number; readonly end: number },
): void {
  const length = Number(answer.headers.get("content-length") ?? Number.NaN);
  if (answer.status === 206) {
    const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(answer.headers.get("content-range") ?? "");
    const total = match?.[3];
    if (total !== undefined && total !== "*" && Number(total) !== file.sizeBytes) throw wrongSize(file, Number(total));
    if (match === null || Number(match[1]) !== position) {
      throw failure("MODEL_CORRUPT", `the server sent another part of ${file.path} than was asked for`);
    }
    return;
  }
  if (position === 0 && end === file.sizeBytes) {
    if (!Number.isNaN(length) && length !== file.sizeBytes) throw wrongSize(file, length);
    return;
  }
  throw failure("MODEL_NOT_FOUND", `the server of ${file.path} cannot continue a download (it ignores Range)`);
}

function wrongSize(file: HubFile, got: number): HiggsError {
  return failure(
    "MODEL_CORRUPT",
    `the server has ${file.path} in another size (got ${got} bytes, expected ${file.sizeBytes})`,
  );
}

function parseJson(bytes: Uint8Array, repository: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as unknown;
  } catch {
    throw failure("MODEL_NOT_FOUND", `the answer for ${repository} is not JSON`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One entry of a list of files; folders give nothing. */
function toFile(entry: unknown, repository: string): HubFile[] {
  if (!isObject(entry) || entry["type"] !== "file") return [];
  const { path, size, oid, lfs } = entry;
  const large = isObject(lfs) ? lfs : null;
  const sizeBytes = large === null ? size : large["size"];
  const hex = String(large === null ? oid : large["oid"]).replace(/^sha256:/, "");
  const isSound = typeof path === "string" && isSafe(path) && Number.isSafeInteger(sizeBytes) && Number(sizeBytes) >= 0;
  if (!isSound || !(large === null ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(hex)) {
    throw failure("MODEL_NOT_FOUND", `the list of files of ${repository} has an entry that cannot be used`);
  }
  return [{ path, sizeBytes: Number(sizeBytes), hash: { kind: large === null ? "git-blob" : "sha256", hex } }];
}

/** Stays inside the folder that it is joined to. */
function isSafe(path: string): boolean {
  return path !== "" && !/[\\\0]/.test(path) && path.split("/").every((part) => !["", ".", ".."].includes(part));
}
