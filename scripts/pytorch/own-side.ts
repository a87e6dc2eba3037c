/** Our side of scripts/compare-pytorch.ts: opens a workload when it reads its name, runs it on `run`, and answers each line. */
import { createInterface } from "node:readline";
import { openDevice } from "@higgs-worker/higgs-audio/parts";
import { openWorkload, type Workload } from "../cpu-library/workloads.ts";

using backend = openDevice({ device: "cpu", threads: 1 });
let workload: Workload | null = null;
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
