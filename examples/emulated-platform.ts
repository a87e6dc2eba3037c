// Test a worker against RunPod's platform on this machine, here one that loses an answer and then stops the worker.
//   npx tsx examples/emulated-platform.ts
// The worker is a process in any language that speaks RunPod's protocol; this one is examples/own-worker.ts.
import { join } from "node:path";
import { startEmulator } from "runpod-worker/emulator";

const emulator = await startEmulator();
// The result arrives, but its answer does not: the worker must post the same result again. (Progress uses this route too.)
const isResult = ({ body }: { body: string }) => !body.includes("IN_PROGRESS");
emulator.faults.add({ route: "job-done", where: isResult, action: { kind: "reset", isAfterEffect: true } });
const worker = emulator.spawn({
  command: process.execPath,
  args: ["--import", "tsx", join(import.meta.dirname, "own-worker.ts")],
  env: { ...process.env, RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true", RUNPOD_SKIP_GPU_CHECK: "true" },
});

const job = emulator.submit({ input: { text: "the sun is warm and the sky is blue" } });
const status = await emulator.result(job, 60_000);
console.log(status.status, JSON.stringify(status.output));
await emulator.requests.waitForCount(2, { route: "job-done", jobId: job.id, where: isResult });
console.log("the worker posted its result twice");

worker.signal("SIGTERM");
const { code } = await worker.exited;
console.log(`the worker exited with code ${code}`);
await emulator.close();
