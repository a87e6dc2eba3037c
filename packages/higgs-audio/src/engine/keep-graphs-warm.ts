/**
 * ggml-cuda throws away what it recorded of a graph that was not used for ten seconds (ggml-cuda/common.cuh). Half of that is an
 * age at which no graph is thrown away before the next tick.
 */
const TICK_MS = 4000;

/** Calls `tick` every `intervalMs` until the returned function is called. */
export type Ticker = (intervalMs: number, tick: () => void) => () => void;

interface WarmableModel {
  /** Computes once what was not computed since the last call. */
  refreshGraphs(): Promise<number>;
}

interface Rounds {
  /** Runs work when the model is not computing. */
  runBetween(work: () => Promise<void>): Promise<void>;
}

/**
 * Keeps a device from forgetting the graphs of a lone sequence, so that the first sentence after a pause is as fast as the next.
 * Costs a step of each of these graphs every eight seconds while nothing is spoken. Only CUDA forgets, so only there it does anything.
 *
 * @returns a function that ends it; a refresh that runs then still ends by itself
 */
export function keepGraphsWarm(
  device: { readonly backendName: string },
  model: WarmableModel,
  rounds: Rounds,
  ticker: Ticker = tickUnreferenced,
): () => Promise<void> {
  if (device.backendName !== "CUDA") return () => Promise.resolve();
  let refreshing: Promise<void> | null = null;
  const stop = ticker(TICK_MS, () => {
    refreshing ??= rounds
      .runBetween(async () => void (await model.refreshGraphs()))
      // A device that fails here fails in the next step too, where somebody is told.
      .catch(() => stop())
      .finally(() => {
        refreshing = null;
      });
  });
  return async () => {
    stop();
    await refreshing;
  };
}

/** Does not keep the process running. */
function tickUnreferenced(intervalMs: number, tick: () => void): () => void {
  const timer = setInterval(tick, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
