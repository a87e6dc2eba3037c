import { afterEach, describe, expect, it } from "vitest";
import { createHandlerExecutor } from "./handler-executor.ts";
import { serveLocalApi, type LocalApiServer } from "./local-api-server.ts";

const open: LocalApiServer[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe("a handler behind the local API, as an application puts it there", () => {
  it("gets typed input through its schema, a context, and a logger of its job", async () => {
    const lines: string[] = [];
    const say = (level: string, id: string) => (message: string) => void lines.push(`${level} ${id} ${message}`);
    const logFor = ({ jobId }: { jobId: string }) => ({
      trace: say("trace", jobId),
      debug: say("debug", jobId),
      info: say("info", jobId),
      warn: say("warn", jobId),
      error: say("error", jobId),
    });
    const inputSchema = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "number" ? { value: { n: value } } : { issues: [{ message: "must be a number" }] },
      },
    };
    const execute = createHandlerExecutor<{ n: number }>({
      inputSchema,
      logFor,
      workerId: "me",
      handler: ({ input }, { log, workerId, progress }) => {
        log.info(`n is ${input.n}`);
        progress({ cyclic: 1n });
        return { doubled: input.n * 2, workerId };
      },
    });
    const server = await serveLocalApi({ execute, port: 0, host: "127.0.0.1", workerId: "me" });
    open.push(server);
    const call = async (input: unknown) => {
      const headers = { "content-type": "application/json" };
      const body = JSON.stringify({ input });
      const response = await fetch(`${server.url}/runsync`, { method: "POST", headers, body });
      return (await response.json()) as Record<string, unknown>;
    };
    const done = await call(21);
    expect(done).toMatchObject({ status: "COMPLETED", output: { doubled: 42, workerId: "me" }, workerId: "me" });
    const id = String(done["id"]);
    expect(lines).toEqual([
      `info ${id} Started.`,
      `info ${id} n is 21`,
      expect.stringContaining(`warn ${id} Progress update dropped.`),
      `info ${id} Finished.`,
    ]);
    expect(await call("text")).toMatchObject({ status: "FAILED", error: expect.stringContaining("must be a number") });
  });
});
