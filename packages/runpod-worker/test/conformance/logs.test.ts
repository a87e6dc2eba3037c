import { describe, expect, it } from "vitest";
import { type Handler, start } from "../../src/index.ts";
import { FakeSurface } from "../../src/testing/fake-surface.ts";
import { WorkerBench } from "../../src/testing/worker-bench.ts";

const LOCAL_JOB = ["--test_input", '{"id":"j1","input":1}'];

async function linesOf(handler: Handler, env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []) {
  const surface = new FakeSurface({ argv: [...LOCAL_JOB, ...flags], env });
  await start({ handler, surface });
  return surface.lines.slice(1);
}

describe("logs", () => {
  it("W75: with RUNPOD_ENDPOINT_ID each record is one line of JSON with exactly three keys", async () => {
    const bench = await WorkerBench.open(
      (_job, { log }) => log.info("größe 😀\nsecond line"),
      { env: { RUNPOD_ENDPOINT_ID: "ep" } },
      (platform) => platform.queue({ id: "j1", input: 1 }),
    );
    await bench.results(1);
    const lines = bench.surface.lines.slice(1);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      expect(Object.keys(JSON.parse(line) as object)).toEqual(["requestId", "message", "level"]);
      expect(line).toMatch(/^[ -~]*$/);
    }
    const own = lines.find((line) => line.includes("second"));
    expect(own).toContain(
      '{"requestId": "j1", "message": "gr\\u00f6\\u00dfe \\ud83d\\ude00\\nsecond line", "level": "INFO"}',
    );
  });

  it("W76: without it a line is level, id and message", async () => {
    const lines = await linesOf((_job, { log }) => {
      log.info("one");
      log.error("two");
    });
    expect(lines).toContain("INFO   | j1 | one");
    expect(lines).toContain("ERROR  | j1 | two");
    expect(lines[0]).toBe("INFO   | test_input set, using test_input as job input.");
  });

  it("W77: a message of 10 000 characters is cut in the middle", async () => {
    const surface = new FakeSurface({ argv: LOCAL_JOB });
    const message = "a".repeat(5_000) + "b".repeat(5_000);
    await start({ handler: (_job, { log }) => log.info(message), surface });
    const note = "\n...TRUNCATED 5904 CHARACTERS...\n";
    expect(surface.output).toContain(`INFO   | j1 | ${"a".repeat(2048)}${note}${"b".repeat(2048)}\n`);
  });

  it("W78: Started. and Finished. come at INFO with the job's id, after the queue and the progress count", async () => {
    const bench = await WorkerBench.open(
      () => 1,
      {},
      (platform) => platform.queue({ id: "j1", input: 1 }),
    );
    await bench.platform.until(() => bench.surface.output.includes("Finished."), "the end");
    expect(bench.surface.lines.slice(1)).toEqual([
      "INFO   | Jobs in queue: 1",
      "INFO   | Jobs in progress: 1",
      "INFO   | j1 | Started.",
      "INFO   | j1 | Finished.",
    ]);
  });

  it("W79: RUNPOD_LOG_LEVEL beats RUNPOD_DEBUG_LEVEL, the flag beats both, names are case-insensitive", async () => {
    const handler: Handler = (_job, { log }) => {
      for (const level of ["trace", "debug", "info", "warn", "error"] as const) log[level](level);
    };
    async function levels(
      env: Readonly<Record<string, string>>,
      flags: readonly string[] = [],
    ): Promise<readonly string[]> {
      const lines = await linesOf(handler, env, flags);
      return lines
        .filter((line) => /\| j1 \| (trace|debug|info|warn|error)$/.test(line))
        .map((line) => line.split(" | ")[2] ?? "");
    }
    expect(await levels({})).toEqual(["info", "warn", "error"]);
    expect(await levels({ RUNPOD_DEBUG_LEVEL: "debug" })).toEqual(["debug", "info", "warn", "error"]);
    expect(await levels({ RUNPOD_LOG_LEVEL: "Error", RUNPOD_DEBUG_LEVEL: "DEBUG" })).toEqual(["error"]);
    expect(await levels({ RUNPOD_LOG_LEVEL: "ERROR" }, ["--rp_log_level", "trace"])).toEqual([
      "trace",
      "debug",
      "info",
      "warn",
      "error",
    ]);
    expect(await levels({ RUNPOD_LOG_LEVEL: "NOTSET" })).toEqual([]);
  });

  it("W80: the API key and s3Config secrets appear in no line and no error, at any level", async () => {
    const s3Config = { accessId: "AKIA-ACCESS-ID", accessSecret: 's3/secret+with"quotes', bucketName: "b" };
    const handler: Handler = (job, { log, progress }) => {
      log.trace(JSON.stringify(job));
      log.info(`key is ${process.env["NOTHING"] ?? "secret-api-key"}`);
      progress(job);
      throw new Error(`denied for ${s3Config.accessId} with ${s3Config.accessSecret}`, {
        cause: new Error("secret-api-key"),
      });
    };
    const bench = await WorkerBench.open(
      handler,
      { env: { RUNPOD_LOG_LEVEL: "TRACE", RUNPOD_ENDPOINT_ID: "ep" } },
      (platform) => {
        platform.queue({ id: "j1", input: 1, s3Config });
      },
    );
    const [result] = await bench.results(1);
    const error = JSON.stringify(result?.body);
    for (const text of [bench.surface.output, error]) {
      expect(text).toContain("[redacted]");
      expect(text).not.toContain("secret-api-key");
      expect(text).not.toContain("AKIA-ACCESS-ID");
      expect(text).not.toMatch(/s3\/secret/);
    }
  });

  it("puts the batch id before the lines of a job of a batch", async () => {
    const bench = await WorkerBench.open(
      () => 1,
      {},
      (platform) => {
        platform.queue({ id: "j1", input: 1, batchId: "batch_01" });
      },
    );
    await bench.platform.until(() => bench.surface.output.includes("Finished."), "the end");
    expect(bench.surface.lines).toContain("INFO   | j1 | [batchId=batch_01] Started.");
  });

  it("a thrown exception gives two lines: with the id, then the error JSON without it", async () => {
    const bench = await WorkerBench.open(
      () => {
        throw new Error("boom");
      },
      { env: { RUNPOD_ENDPOINT_ID: "ep" } },
      (platform) => platform.queue({ id: "j1", input: 1 }),
    );
    await bench.results(1);
    const errors = bench.surface.lines.slice(1).map((line) => JSON.parse(line) as Record<string, string | null>);
    const [captured, info] = errors.filter((line) => line["level"] === "ERROR");
    expect(captured).toMatchObject({ requestId: "j1", message: "Captured Handler Exception" });
    expect(info?.["requestId"]).toBeNull();
    expect(JSON.parse(info?.["message"] ?? "")).toMatchObject({ error_type: "Error", error_message: "boom" });
  });
});
