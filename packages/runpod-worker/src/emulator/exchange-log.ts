import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { memorySizeOf } from "../job-queue/memory-size.ts";
import { isWorkerRoute, parseTarget, routePath, type RouteName } from "./request-target.ts";
import { DEFAULT_WAIT_MS } from "./emulator-rules.ts";

/** One request and its outcome. */
export interface Exchange {
  /** Counts up from 1. */
  readonly number: number;
  /** Real time of the request, in milliseconds since the epoch, with fractions. */
  readonly atMs: number;
  readonly method: string;
  /** Path and query exactly as they came. */
  readonly target: string;
  readonly route: RouteName;
  readonly endpointId: string | undefined;
  /** The worker of a worker's route. */
  readonly workerId: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  /** Names and values alternating, as the worker spelled and ordered them. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Requests on the same connection have the same id. */
  readonly socketId: number;
  /** The job that a post was about, once it is known. */
  jobId: string | undefined;
  /** The kind of fault that affected it. */
  fault: string | undefined;
  /** Undefined until there is an answer, and forever if none is sent. */
  status: number | undefined;
  /** Real time of the answer. */
  answeredAtMs: number | undefined;
  /** True if the client hung up before the answer. */
  isAborted: boolean;
}

/** Selects exchanges; all given conditions must hold. */
export interface ExchangeFilter {
  readonly route?: RouteName | readonly RouteName[] | undefined;
  readonly workerId?: string | undefined;
  readonly jobId?: string | undefined;
  readonly status?: number | undefined;
  readonly fault?: string | undefined;
  /** Only exchanges after this one. */
  readonly after?: Exchange | undefined;
  readonly where?: ((exchange: Exchange) => boolean) | undefined;
}

export interface WaitForOptions {
  /** Real milliseconds. Default 120 000. */
  readonly timeoutMs?: number;
}

interface LogWait {
  readonly check: () => boolean;
}

export interface ExchangeLogLimits {
  /** Requests that are kept. */
  readonly limit: number;
  /** Characters that are kept of a body. */
  readonly bodyLimit: number;
  /** Approximate bytes that all kept requests may take. */
  readonly limitBytes: number;
}

/** A record of the newest requests, limited by number and bytes; the very newest is always kept. */
export class ExchangeLog {
  readonly #limits: ExchangeLogLimits;
  readonly #kept: Exchange[] = [];
  readonly #sizes = new WeakMap<Exchange, number>();
  #keptBytes = 0;
  readonly #waits = new Set<LogWait>();
  readonly #socketIds = new WeakMap<Socket, number>();
  readonly #listeners = new Set<(exchange: Exchange) => void>();
  #sockets = 0;
  #total = 0;

  constructor(limits: ExchangeLogLimits) {
    this.#limits = limits;
  }

  /** All requests so far, including dropped ones. */
  get total(): number {
    return this.#total;
  }

  list(filter: ExchangeFilter = {}): Exchange[] {
    return this.#kept.filter((exchange) => matches(exchange, filter));
  }

  count(filter: ExchangeFilter = {}): number {
    return this.list(filter).length;
  }

  /** The newest that matches. */
  last(filter: ExchangeFilter = {}): Exchange | undefined {
    return this.#kept.findLast((exchange) => matches(exchange, filter));
  }

  /** Waits for a match, past or future, and resolves with the oldest. */
  async waitFor(filter: ExchangeFilter, options: WaitForOptions = {}): Promise<Exchange> {
    const [first] = await this.waitForCount(1, filter, options);
    if (first === undefined) throw new Error("Cannot find the request: it was forgotten");
    return first;
  }

  /**
   * Waits until `count` match.
   *
   * @throws {Error} when the time is up
   */
  async waitForCount(count: number, filter: ExchangeFilter, options: WaitForOptions = {}): Promise<Exchange[]> {
    const timeoutMs = options.timeoutMs ?? DEFAULT_WAIT_MS;
    await new Promise<void>((resolve, reject) => {
      const wait: LogWait = {
        check: () => {
          if (this.count(filter) < count) return false;
          clearTimeout(timer);
          this.#waits.delete(wait);
          resolve();
          return true;
        },
      };
      const timer = setTimeout(() => {
        this.#waits.delete(wait);
        const seen = `got ${this.count(filter)}, limit ${timeoutMs} ms`;
        reject(new Error(`Cannot wait longer for ${count} ${describe(filter)}: too few came (${seen})`));
      }, timeoutMs);
      if (!wait.check()) this.#waits.add(wait);
    });
    return this.list(filter);
  }

  /** Calls back for each request once it has come in. Returns the function that unsubscribes. */
  onRequest(listener: (exchange: Exchange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  clear(): void {
    this.#kept.length = 0;
    this.#keptBytes = 0;
  }

  /** For the emulator: notes a request that has come in whole. */
  begin(incoming: IncomingMessage, atMs: number, body: string): Exchange {
    this.#total += 1;
    const exchange = this.describe(incoming, atMs, body);
    this.#keep(exchange);
    for (const listener of this.#listeners) listener(exchange);
    this.changed();
    return exchange;
  }

  /** For the emulator: what would be recorded of a request. */
  describe(incoming: IncomingMessage, atMs: number, body: string): Exchange {
    const target = incoming.url ?? "/";
    const { path, query } = parseTarget(target);
    const { route, endpointId, rest } = routePath(path);
    const isOfWorker = isWorkerRoute(route);
    return {
      number: this.#total,
      atMs,
      method: incoming.method ?? "GET",
      target,
      route,
      endpointId,
      workerId: isOfWorker ? rest[0] : undefined,
      query: Object.fromEntries(query),
      headers: incoming.headers,
      rawHeaders: incoming.rawHeaders,
      body: firstOf(body, this.#limits.bodyLimit),
      socketId: this.#socketIdOf(incoming.socket),
      jobId: isOfWorker ? rest[1] : rest[0],
      fault: undefined,
      status: undefined,
      answeredAtMs: undefined,
      isAborted: false,
    };
  }

  /** For the emulator: makes pending waits check again. */
  changed(): void {
    for (const wait of this.#waits) wait.check();
  }

  #keep(exchange: Exchange): void {
    const { body, target, headers, rawHeaders, query } = exchange;
    const sizeBytes = memorySizeOf([body, target, headers, rawHeaders, query]);
    this.#sizes.set(exchange, sizeBytes);
    this.#kept.push(exchange);
    this.#keptBytes += sizeBytes;
    const { limit, limitBytes } = this.#limits;
    let dropped = 0;
    while (this.#kept.length - dropped > 1 && (this.#kept.length - dropped > limit || this.#keptBytes > limitBytes)) {
      const oldest = this.#kept[dropped];
      if (oldest !== undefined) this.#keptBytes -= this.#sizes.get(oldest) ?? 0;
      dropped += 1;
    }
    this.#kept.splice(0, dropped);
  }

  #socketIdOf(socket: Socket): number {
    const known = this.#socketIds.get(socket);
    if (known !== undefined) return known;
    this.#sockets += 1;
    this.#socketIds.set(socket, this.#sockets);
    return this.#sockets;
  }
}

/** The first characters as a separate string: V8's `slice` alone would keep the whole one alive. */
function firstOf(text: string, limit: number): string {
  return text.length <= limit ? text : Buffer.from(text.slice(0, limit), "utf16le").toString("utf16le");
}

function matches(exchange: Exchange, filter: ExchangeFilter): boolean {
  const { route, after } = filter;
  if (route !== undefined && !(Array.isArray(route) ? route.includes(exchange.route) : route === exchange.route)) {
    return false;
  }
  if (filter.workerId !== undefined && exchange.workerId !== filter.workerId) return false;
  if (filter.jobId !== undefined && exchange.jobId !== filter.jobId) return false;
  if (filter.status !== undefined && exchange.status !== filter.status) return false;
  if (filter.fault !== undefined && exchange.fault !== filter.fault) return false;
  if (after !== undefined && exchange.number <= after.number) return false;
  return filter.where?.(exchange) ?? true;
}

function describe(filter: ExchangeFilter): string {
  const { route, workerId, jobId, status } = filter;
  const parts = Object.entries({ route, workerId, jobId, status }).filter(([, value]) => value !== undefined);
  return `requests${parts.map(([name, value]) => ` with ${name} ${String(value)}`).join("")}`;
}
