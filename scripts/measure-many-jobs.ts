/**
 * Memory of `higgs serve` over many jobs: `npm run measure:many-jobs -- [--jobs N] [--clients N]`. Each job speaks a few frames with the demo
 * model. Prints the resident memory of server and engine a tenth of the way at a time, and how much it grew from the second
 * tenth, when caches and heaps have their usual size, to the end. Fails when that is more than 5 %. Needs Linux.
 */
import { parseArgs } from "node:util";
import { processTree, residentMebibytes } from "./load/memory.ts";
import { startDemoServer } from "./serving/demo-server.ts";

const LIMIT = 0.05;

const { values: options } = parseArgs({
  options: { jobs: { type: "string", default: "10000" }, clients: { type: "string", default: "4" } },
});
const jobs = Number(options.jobs);

// Results that clients may still ask for have their full size soon.
const server = await startDemoServer({ HIGGS_MAX_BATCH: "4", HIGGS_MAX_RESULT_BYTES: String(16 * 2 ** 20) });
try {
  while ((await fetch(`${server.url}/ping`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
  const { pid = 0 } = server.process;
  const mebibytes = () => processTree(pid).map((each) => residentMebibytes([each]));
  console.log(`| Jobs | Server, MiB | Engine, MiB |\n|---|---|---|\n| 0 | ${mebibytes().slice(0, 2).join(" | ")} |`);
  const totals: number[] = [];
  let started = 0;
  let done = 0;
  const client = async (): Promise<void> => {
    while (started < jobs) {
      await speak(server.url, started++);
      done += 1;
      if (done % Math.ceil(jobs / 10) !== 0) continue;
      const parts = mebibytes();
      totals.push(parts.reduce((sum, part) => sum + part, 0));
      console.log(`| ${done} | ${parts.slice(0, 2).join(" | ")} |`);
    }
  };
  await Promise.all(Array.from({ length: Number(options.clients) }, client));
  const growth = (totals.at(-1) ?? 0) / (totals[1] ?? 0) - 1;
  console.log(`grew by ${(growth * 100).toFixed(1)} % from the second tenth to the end (limit ${LIMIT * 100} %)`);
  process.exitCode = growth <= LIMIT ? 0 : 1;
} finally {
  await server.stop();
}

/** A job of its own words and seed, cut off after a few frames. */
async function speak(url: string, index: number): Promise<void> {
  const input = {
    transcript: `The sun is warm, ${index}.`,
    seed: index,
    max_new_tokens: 16,
    allow_truncated: true,
    guard: false,
  };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/runsync`, { method: "POST", headers, body: JSON.stringify({ input }) });
  const { status, error } = (await answer.json()) as { status?: string; error?: unknown };
  if (status !== "COMPLETED") throw new Error(`job ${index} was not done: HTTP ${answer.status}, ${String(error)}`);
}
