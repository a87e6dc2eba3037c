/**
 * A side of scripts/compare-pytorch.ts and compare-checkouts.ts: opens a workload when it reads its name, runs it on `run`, and answers each
 * line. With a folder as argument the packages come from that checkout.
 */
import { register } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [checkout] = process.argv.slice(2);
if (checkout !== undefined) {
  register("./resolve-from-checkout.mjs", {
    parentURL: import.meta.url,
    data: pathToFileURL(join(checkout, "package.json")).href,
  });
}
const { openDevice } = await import("@higgs-worker/higgs-audio/parts");
const { openWorkload } = await import("../cpu-library/workloads.ts");

using backend = openDevice({ device: "cpu", threads: 1 });
let workload: Awaited<ReturnType<typeof openWorkload>> | null = null;
for await (const name of createInterface({ input: process.stdin })) {
  let answer = {};
  if (name === "run" && workload !== null) {
    const before = process.cpuUsage();
    const startMs = performance.now();
    await workload.run();
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - startMs) / 1000;
    answer = { processor: (user + system) / 1e6 / workload.amount, wall: seconds / workload.amount };
  } else {
    await workload?.[Symbol.asyncDispose]();
    workload = await openWorkload(name, backend, undefined);
  }
  console.log(JSON.stringify({ ...answer, peakMiB: process.resourceUsage().maxRSS / 1024 }));
}
