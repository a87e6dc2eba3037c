import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { serveLocalApi, type JobExecutor } from "../../src/local-api/index.ts";
import type { Checks } from "./checks.ts";

const run = promisify(execFile);
const CLIENT_SCRIPT = join(import.meta.dirname, "..", "python-sdk", "client.py");

/** Checks of the public API with the official Python client. */
export async function checkClient(checks: Checks): Promise<void> {
  const server = await serveLocalApi({ execute: executeExample, host: "127.0.0.1", port: 0 });
  try {
    for (const base of [server.url, `${server.url}/v2`]) {
      await checks.check("E01", `the Python client works with base ${new URL(base).pathname}`, async () => {
        const { stdout } = await run(checks.python, [CLIENT_SCRIPT, base, "any"], { timeout: 120_000 });
        const seen = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
        assert.deepEqual(
          { ...seen, health: Object.keys(seen["health"] as object).sort() },
          {
            health: ["jobs", "workers"],
            run_sync: ["x"],
            stream: ["a", "b", { c: 3 }],
            status: "COMPLETED",
            output: ["a", "b", { c: 3 }],
            cancel: "CANCELLED",
            purge: "completed",
          },
        );
      });
    }
  } finally {
    await server.close();
  }
}

const executeExample: JobExecutor = async (job, { signal, chunk }) => {
  const { chunks = [], sleep = 0 } = job.input as { chunks?: unknown[]; sleep?: number };
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, sleep * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  for (const output of chunks) chunk(output);
  return { output: chunks };
};
