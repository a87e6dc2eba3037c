/** The local API with a handler that does what its input says; main.ts runs it and gets its memory and delays. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { createHandlerExecutor, serveLocalApi } from "../../src/local-api/index.ts";

const MEGABYTE = 1_000_000;
const NANOSECONDS_PER_MS = 1e6;

/** What a job is to do. */
interface Input {
  readonly does?: "fail" | "answer" | "stream" | "wait";
}

const execute = createHandlerExecutor<Input>({
  handler: ({ input }, { signal }) => {
    if (input.does === "answer") return { audio: "x".repeat(9.5 * MEGABYTE) };
    if (input.does === "stream") return manyChunks();
    if (input.does === "wait") return new Promise((_resolve, reject) => signal.addEventListener("abort", reject));
    return { error: "INVALID_INPUT: Cannot read the request: it is hostile" };
  },
});

async function* manyChunks(): AsyncGenerator<string> {
  for (let index = 0; index < 400; index += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield "x".repeat(MEGABYTE) + String(index);
  }
}

const server = await serveLocalApi({ execute, host: "127.0.0.1", port: 0 });
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

let peakBytes = 0;
const sampler = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}, 20);

process.on("message", () => {
  const { rss } = process.memoryUsage();
  process.send?.({
    rssBytes: rss,
    peakBytes: Math.max(peakBytes, rss),
    longestDelayMs: delay.max / NANOSECONDS_PER_MS,
  });
  delay.reset();
  peakBytes = 0;
});
process.on("disconnect", () => {
  clearInterval(sampler);
  void server.close().then(() => process.exit(0));
});
process.send?.({ url: server.url });
