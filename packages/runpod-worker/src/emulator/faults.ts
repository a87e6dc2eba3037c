import { createSeededRandom } from "./seeded-random.ts";
import type { Exchange } from "./exchange-log.ts";
import type { RouteName } from "./request-target.ts";

/**
 * What happens to a request instead of, or in addition to, its normal handling. `isAfterEffect` means that the platform
 * does what was asked, and only the answer is lost: the case in which a worker must repeat itself.
 */
export type FaultAction =
  /** An answer of the test's choice; a body that is not a string is sent as JSON. */
  | {
      readonly kind: "respond";
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly isAfterEffect?: boolean;
    }
  /** Waits real milliseconds, then continues as usual. */
  | { readonly kind: "delay"; readonly delayMs: number }
  /** Waits until the rule is released or removed, then continues as usual. */
  | { readonly kind: "hold" }
  /** Never answers; the connection stays open until the worker gives up. */
  | { readonly kind: "drop"; readonly isAfterEffect?: boolean }
  /** Resets the connection. */
  | { readonly kind: "reset"; readonly isAfterEffect?: boolean }
  /** Does what was asked, sends a part of the body and breaks the connection. */
  | { readonly kind: "truncate"; readonly keptBytes?: number }
  /** Delivers the job of a take a second time: in the same answer if that is a list, else with the next take. */
  | { readonly kind: "duplicate" };

export interface FaultRule {
  /** The routes that the rule is for; `*` for all. */
  readonly route: RouteName | "*" | readonly RouteName[];
  readonly action: FaultAction;
  /** How many requests it affects; Infinity for all. Default 1. */
  readonly times?: number | undefined;
  /** How many matching requests it lets pass first. */
  readonly skip?: number | undefined;
  /** The probability that a matching request is affected. Default 1. */
  readonly probability?: number | undefined;
  readonly where?: (exchange: Exchange) => boolean;
}

/** A rule in force. */
export interface Fault {
  readonly rule: FaultRule;
  /** How many requests it has affected. */
  readonly hits: number;
  /** Releases the requests that it holds now. */
  release(): void;
  /** Removes the rule and releases what it holds. */
  remove(): void;
}

class ActiveFault implements Fault {
  readonly rule: FaultRule;
  readonly #onRemove: (fault: ActiveFault) => void;
  readonly #held = new Set<() => void>();
  #skipped = 0;
  hits = 0;

  constructor(rule: FaultRule, onRemove: (fault: ActiveFault) => void) {
    this.rule = rule;
    this.#onRemove = onRemove;
  }

  strikes(exchange: Exchange, random: () => number): boolean {
    const { route, times = 1, skip = 0, probability = 1, where } = this.rule;
    if (this.hits >= times) return false;
    const isRouted =
      route === "*" || (Array.isArray(route) ? route.includes(exchange.route) : route === exchange.route);
    if (!isRouted || where?.(exchange) === false) return false;
    if (this.#skipped < skip) {
      this.#skipped += 1;
      return false;
    }
    if (probability < 1 && random() >= probability) return false;
    this.hits += 1;
    return true;
  }

  hold(): Promise<void> {
    return new Promise((resolve) => void this.#held.add(resolve));
  }

  release(): void {
    for (const resolve of this.#held) resolve();
    this.#held.clear();
  }

  remove(): void {
    this.release();
    this.#onRemove(this);
  }
}

/** A fault that affects a request. */
export interface Strike {
  readonly action: FaultAction;
  /** Resolves when a `hold` is over. */
  readonly released: () => Promise<void>;
}

/** The faults in force and the frozen routes. */
export class Faults {
  readonly #random: () => number;
  readonly #active = new Set<ActiveFault>();
  readonly #frozen = new Map<RouteName | "*", Set<() => void>>();

  /** @param seed makes random faults repeatable */
  constructor(seed: number) {
    this.#random = createSeededRandom(seed);
  }

  /** Adds a rule. Only the first rule that matches a request affects it. */
  add(rule: FaultRule): Fault {
    const fault = new ActiveFault(rule, (removed) => this.#active.delete(removed));
    this.#active.add(fault);
    return fault;
  }

  list(): readonly Fault[] {
    return [...this.#active];
  }

  /** Removes all rules and thaws all routes. */
  clear(): void {
    for (const fault of this.#active) fault.remove();
    for (const route of this.#frozen.keys()) this.thaw(route);
  }

  /** From now on, requests to this route get no answer and their holds do not end. */
  freeze(route: RouteName | "*"): void {
    if (!this.#frozen.has(route)) this.#frozen.set(route, new Set());
  }

  /** Lets frozen requests continue as if they had just arrived. */
  thaw(route: RouteName | "*"): void {
    const held = this.#frozen.get(route);
    this.#frozen.delete(route);
    for (const resume of held ?? []) resume();
  }

  /** For the emulator: resolves at once, or when the route is thawed. */
  async untilThawed(route: RouteName): Promise<void> {
    for (const name of ["*", route] as const) {
      const held = this.#frozen.get(name);
      if (held !== undefined) await new Promise<void>((resume) => void held.add(resume));
    }
  }

  /** For the emulator: the fault that affects this request, if any. */
  strike(exchange: Exchange): Strike | undefined {
    for (const fault of this.#active) {
      if (fault.strikes(exchange, this.#random)) {
        return { action: fault.rule.action, released: () => fault.hold() };
      }
    }
    return undefined;
  }
}
