/**
 * Which string chunks may be joined before they are posted. `events` (the default) joins server-sent events only: they
 * carry their own boundaries, so a client cannot tell. `text` joins all strings; `off` none. Objects are never joined.
 */
export type CoalesceRule = "events" | "text" | "off";

export interface StreamOptions {
  readonly coalesce?: CoalesceRule | undefined;
  /** Shortest time between two posts of joined text, in milliseconds. Default 75; the first chunk never waits. */
  readonly windowMs?: number | undefined;
}

/** Stream options with every default filled in. */
export interface ResolvedStreamOptions {
  readonly coalesce: CoalesceRule;
  readonly windowMs: number;
}

/** Long enough to save round trips, short enough for text to arrive smoothly (spec platform §3.6). */
const DEFAULT_WINDOW_MS = 75;

export function resolveStreamOptions(options: StreamOptions = {}): ResolvedStreamOptions {
  return { coalesce: options.coalesce ?? "events", windowMs: options.windowMs ?? DEFAULT_WINDOW_MS };
}

/** True if the rule lets this chunk be joined with others like it. */
export function isJoinable(chunk: unknown, rule: CoalesceRule): chunk is string {
  if (typeof chunk !== "string" || rule === "off") return false;
  return rule === "text" || (/^(?:data|event|id|retry)?:/.test(chunk) && /(?:\n\n|\r\n\r\n)$/.test(chunk));
}
