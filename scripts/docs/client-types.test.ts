import { expect, it } from "vitest";
import type { JobProgress as WorkerProgress } from "../../apps/worker/src/job/job-handler.ts";
import type { JobOutput as WorkerOutput } from "../../apps/worker/src/job/job-output.ts";
import type { StreamItem as WorkerItem } from "../../apps/worker/src/job/stream-job.ts";
import type { JobOutput, JobProgress, StreamItem } from "../../packages/client/src/job-output.ts";

// The client imports nothing of the worker: the compiler compares their types here, what is sent with what is read, and back.
const comparisons = [
  (output: WorkerOutput): JobOutput => output,
  (output: JobOutput): Record<keyof WorkerOutput, unknown> => output,
  (progress: WorkerProgress): JobProgress => progress,
  (progress: JobProgress): Record<keyof WorkerProgress, unknown> => progress,
  (item: WorkerItem): StreamItem => item,
] as const;

it("the client reads all that the worker answers", () => {
  expect(comparisons).toHaveLength(5);
});
