import type { GaugeSample } from "./metrics.ts";

/** What a check found. */
export interface CheckOutcome {
  readonly ok: boolean;
  /** Why it is not ok. */
  readonly reason?: string | undefined;
  /** Figures to show. Never paths of users, keys or addresses with signatures. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined;
}

/** Something that must work for jobs to be done. */
export interface SelfCheck {
  readonly name: string;
  /** Null: this worker does not use it. A throw counts as not ok. */
  readonly run: (signal: AbortSignal) => Promise<CheckOutcome | null> | CheckOutcome | null;
}

/** A check as `/health` shows it. */
export interface CheckReport {
  /** Null before it was made, and for what is not used. */
  readonly ok: boolean | null;
  readonly used: boolean;
  readonly reason?: string | undefined;
  /** Null: never. */
  readonly checked_seconds_ago: number | null;
  readonly ok_seconds_ago: number | null;
  /** How often it failed since it was last ok. */
  readonly failures_in_a_row: number;
}

interface State {
  outcome: CheckOutcome | null | undefined;
  checkedAtMs: number | null;
  okAtMs: number | null;
  failures: number;
  running: Promise<void> | null;
}

export interface CheckBoardOptions {
  /** Longest time for one check, in milliseconds; a folder on a dead server may never answer. */
  readonly timeoutMs?: number | undefined;
  /** A monotonic clock in milliseconds. */
  readonly now?: (() => number) | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** Makes checks in the background and remembers what they found, so that `/health` answers at once and says how old it is. */
export class CheckBoard implements Disposable {
  readonly #checks: ReadonlyMap<SelfCheck, State>;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #lifetime = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(checks: readonly SelfCheck[], { timeoutMs, now }: CheckBoardOptions = {}) {
    const unknown = { outcome: undefined, checkedAtMs: null, okAtMs: null, failures: 0, running: null };
    this.#checks = new Map(checks.map((check) => [check, { ...unknown }]));
    this.#timeoutMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#now = now ?? (() => performance.now());
  }

  /** Makes all checks now and every `intervalMs` from then on. */
  start(intervalMs: number): void {
    void this.refresh();
    this.#timer = setInterval(() => void this.refresh(), intervalMs);
    this.#timer.unref();
  }

  /** Makes all checks that are not being made already. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#checks].map(([check, state]) => this.#make(check, state)));
  }

  /** What is known, by name, with ages as of now. */
  get reports(): Readonly<Record<string, CheckReport>> {
    return Object.fromEntries([...this.#checks].map(([{ name }, state]) => [name, this.#report(state)]));
  }

  /** For the metrics: only what is used and was checked. */
  samples(): GaugeSample[] {
    return Object.entries(this.reports).flatMap(([check, { ok, checked_seconds_ago: ageSeconds }]) => {
      if (ok === null || ageSeconds === null) return [];
      return [
        { name: "check_ok", value: ok ? 1 : 0, labels: { check } },
        { name: "check_age_s", value: ageSeconds, labels: { check } },
      ] as const;
    });
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#lifetime.abort();
  }

  /** A check that hangs is not made again before it ends: it would take one thread of the file system after the other. */
  async #make(check: SelfCheck, state: State): Promise<void> {
    if (this.#lifetime.signal.aborted) return;
    if (state.running !== null) {
      this.#note(state, this.#tooSlow());
      return;
    }
    const limit = new AbortController();
    const signal = AbortSignal.any([limit.signal, this.#lifetime.signal]);
    let isLate = false;
    const work = (async () => {
      const outcome = await settle(check, signal);
      state.running = null;
      // A good answer that came too late is newer than "no answer".
      const isTooLate = isLate && outcome?.ok !== true;
      if (!this.#lifetime.signal.aborted) this.#note(state, isTooLate ? this.#tooSlow() : outcome);
    })();
    state.running = work;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true;
        limit.abort();
        this.#note(state, this.#tooSlow());
        resolve();
      }, this.#timeoutMs);
    });
    await Promise.race([work, timeout]);
    clearTimeout(timer);
  }

  #tooSlow(): CheckOutcome {
    return { ok: false, reason: `no answer within ${this.#timeoutMs / 1000} s` };
  }

  #note(state: State, outcome: CheckOutcome | null): void {
    const nowMs = this.#now();
    state.outcome = outcome;
    state.checkedAtMs = nowMs;
    state.failures = outcome?.ok === false ? state.failures + 1 : 0;
    if (outcome?.ok === true) state.okAtMs = nowMs;
  }

  #report({ outcome, checkedAtMs, okAtMs, failures }: State): CheckReport {
    const age = (atMs: number | null) => (atMs === null ? null : Number(((this.#now() - atMs) / 1000).toFixed(1)));
    const { ok = null, reason, facts } = outcome ?? {};
    return {
      ok,
      used: outcome !== null,
      ...(reason !== undefined && { reason }),
      ...facts,
      checked_seconds_ago: age(checkedAtMs),
      ok_seconds_ago: age(okAtMs),
      failures_in_a_row: failures,
    };
  }
}

async function settle(check: SelfCheck, signal: AbortSignal): Promise<CheckOutcome | null> {
  try {
    return await check.run(signal);
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
