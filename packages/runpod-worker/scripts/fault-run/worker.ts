/** The worker of the fault run. Its waits are short, so that thousands of faults fit into minutes. */
import { env } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Handler, start } from "../../src/index.ts";
import { chunksOf, failureOf, valueOf, type Work } from "./work.ts";

const handler: Handler<Work> = async (job, { signal, progress }) => {
  const work = job.input;
  if (work.kind === "hang") await sleep(600_000, undefined, { signal });
  if (work.number % 5 === 0) progress({ number: work.number });
  await sleep(work.workMs);
  if (work.kind === "throw") throw new Error(failureOf(work));
  return work.kind === "stream" ? streamOf(work) : valueOf(work);
};

async function* streamOf(work: Work): AsyncGenerator {
  for (const chunk of chunksOf(work)) {
    yield chunk;
    await sleep(1);
  }
}

void start({
  handler: handler as Handler,
  concurrency: Number(env["FAULT_RUN_CONCURRENCY"]),
  returnAggregateStream: true,
  shutdownGraceMs: 20_000,
  timing: {
    pollTimeoutMs: 3000,
    pollBackOffMs: 30,
    pollBackOffMaxMs: 300,
    quickAnswerMs: 10,
    stopPauseMs: 50,
    postBackOffMs: 20,
    postBackOffMaxMs: 300,
    postTimeoutMs: 3000,
    postIdleTimeoutMs: 3000,
    progressTimeoutMs: 1000,
  },
});
