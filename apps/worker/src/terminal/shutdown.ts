import type { EventEmitter } from "node:events";
import { constants } from "node:os";

export type ShutdownSignal = "SIGTERM" | "SIGINT";

type Listener = (signal: ShutdownSignal) => void;

/** The signals that ask the process to end, as commands see them. */
export interface Shutdown {
  /** Fires at the first signal. */
  readonly signal: AbortSignal;
  /** Fires at the second one: do not wait any longer. */
  readonly hurry: AbortSignal;
  /**
   * Reports every signal, including earlier ones, and returns a function that stops listening. A command that listens
   * decides itself how it ends.
   */
  readonly onShutdownSignal: (listener: Listener) => () => void;
}

const SIGNALS: readonly ShutdownSignal[] = ["SIGTERM", "SIGINT"];

/**
 * Listens for SIGTERM and SIGINT from now on. `exit` is called at a second signal when no command listens, with the code
 * that shells report for that signal.
 */
export function watchShutdown(process: EventEmitter, exit: (code: number) => void): Shutdown {
  const first = new AbortController();
  const second = new AbortController();
  const received: ShutdownSignal[] = [];
  const listeners = new Set<Listener>();
  const take = (signal: ShutdownSignal): void => {
    received.push(signal);
    if (received.length > 1) second.abort();
    first.abort();
    if (received.length > 1 && listeners.size === 0) exit(128 + constants.signals[signal]);
    for (const listener of listeners) listener(signal);
  };
  for (const signal of SIGNALS) process.on(signal, () => take(signal));
  return {
    signal: first.signal,
    hurry: second.signal,
    onShutdownSignal: (listener) => {
      // Deferred: the listener may need the returned function.
      for (const signal of received) queueMicrotask(() => listeners.has(listener) && listener(signal));
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
