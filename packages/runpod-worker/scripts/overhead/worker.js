/** The smallest worker of this package, as a user would write it: from the build, not from the sources. */
import { env } from "node:process";
import { start } from "runpod-worker";

await start({
  handler: (job) => job.input.return,
  concurrency: Number(env["WORKER_CONCURRENCY"] ?? "1"),
});
