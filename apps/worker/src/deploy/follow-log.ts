import type { LogEvent, LogOptions } from "runpod-deploy";

export interface FollowOptions {
  readonly open: (options: LogOptions) => AsyncGenerator<LogEvent>;
  readonly onEvent: (event: LogEvent) => Promise<void>;
  /** Lines from before. */
  readonly tail: number;
  /** False ends when the stream has been silent for a while: RunPod holds it open for new lines. */
  readonly isFollowing: boolean;
  readonly signal: AbortSignal;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Silence after which what was written before has been read. */
const SILENCE_MS = 3000;
const RECONNECT_MS = 2000;

/**
 * Passes on the lines of a log. A stream that breaks is opened again behind its last line as long as lines are wanted. Ends
 * quietly when the signal aborts.
 *
 * @throws {RunpodApiError} when the stream cannot be opened
 */
export async function followLog(options: FollowOptions): Promise<void> {
  let lastEventId: string | undefined;
  let isFirst = true;
  while (!options.signal.aborted) {
    const silence = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const listen = (): void => {
      clearTimeout(timer);
      if (!options.isFollowing) timer = setTimeout(() => silence.abort(), SILENCE_MS);
    };
    const signal = AbortSignal.any([options.signal, silence.signal]);
    const position = lastEventId === undefined ? { tail: isFirst ? options.tail : 0 } : { lastEventId };
    try {
      listen();
      for await (const event of options.open({ ...position, signal })) {
        listen();
        lastEventId = event.id ?? lastEventId;
        isFirst = false;
        await options.onEvent(event);
      }
    } catch (error) {
      // A broken stream of a log that was open before; the first opening must succeed.
      if (!signal.aborted && (isFirst || isRefusal(error))) throw error;
    } finally {
      clearTimeout(timer);
    }
    if (!options.isFollowing || options.signal.aborted) return;
    isFirst = false;
    await options.sleep(RECONNECT_MS).catch(() => undefined);
  }
}

/** An answer of RunPod, such as 404 for a worker that is gone; a broken connection has no status. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && "status" in error && error.status !== null;
}
