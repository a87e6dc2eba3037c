import type { EmulatorRules, FaultAction, FaultRule, RouteName } from "../../src/emulator/index.ts";

/** What a job of the run asks for; its correct outcome follows from it. */
export interface Work {
  readonly number: number;
  readonly kind: "value" | "stream" | "throw" | "hang";
  /** How long the handler takes, in milliseconds. */
  readonly workMs: number;
}

/** The handler's text for jobs of the kind `throw`. */
export function failureOf({ number }: Work): string {
  return `job ${number} fails as it should`;
}

/** The value of a job of the kind `value`. */
export function valueOf({ number }: Work): unknown {
  return { number, square: number * number, text: "ä€𝄞".repeat(number % 7) };
}

/** The chunks, and the output, of a job of the kind `stream`. */
export function chunksOf({ number }: Work): unknown[] {
  return Array.from({ length: 1 + (number % 4) }, (_, index) => ({ number, index }));
}

/** A mix of short jobs. `random` returns numbers in [0, 1). */
export function createWork(number: number, random: () => number): Work {
  const draw = random();
  const kind = draw < 0.8 ? "value" : draw < 0.92 ? "stream" : draw < 0.995 ? "throw" : "hang";
  return { number, kind, workMs: Math.floor(random() * 8) };
}

/** Faults on all routes of workers; probabilities are per request. */
export function createFaultRules(): FaultRule[] {
  const takes: readonly RouteName[] = ["job-take", "job-take-batch"];
  const posts: readonly RouteName[] = ["job-done", "job-stream"];
  return [
    ...chances(takes, 0.01, [
      { kind: "reset" },
      { kind: "reset", isAfterEffect: true },
      { kind: "truncate" },
      { kind: "respond", status: 500 },
      { kind: "respond", status: 502, body: "<html>", isAfterEffect: true },
      { kind: "respond", status: 200, body: "{", headers: { "content-type": "application/json" } },
      { kind: "respond", status: 400 },
      { kind: "delay", delayMs: 40 },
    ]),
    ...chances(takes, 0.03, [{ kind: "duplicate" }]),
    ...chances(takes, 0.001, [{ kind: "drop", isAfterEffect: true }]),
    ...chances(posts, 0.012, [
      { kind: "reset" },
      { kind: "reset", isAfterEffect: true },
      { kind: "truncate" },
      { kind: "respond", status: 500 },
      { kind: "respond", status: 503, isAfterEffect: true },
      { kind: "respond", status: 429, headers: { "retry-after": "0" } },
      { kind: "delay", delayMs: 40 },
    ]),
    ...chances(posts, 0.0005, [{ kind: "drop" }]),
    ...chances(["job-stop", "ping"], 0.03, [
      { kind: "reset", isAfterEffect: true },
      { kind: "truncate" },
      { kind: "respond", status: 500 },
      { kind: "delay", delayMs: 40 },
    ]),
  ];
}

function chances(route: readonly RouteName[], probability: number, actions: readonly FaultAction[]): FaultRule[] {
  return actions.map((action) => ({ route, probability, times: Number.POSITIVE_INFINITY, action }));
}

/** Short holds, so that the run ends quickly. */
export const RULES: Partial<EmulatorRules> = { takeHoldMs: 1000, stopHoldMs: 1000, pingIntervalMs: 1000 };
