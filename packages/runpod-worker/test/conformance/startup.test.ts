import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Handler, registerFitnessCheck, start } from "../../src/index.ts";
import { clearFitnessChecks } from "../../src/fitness/fitness-checks.ts";
import { FakeSurface } from "../../src/testing/fake-surface.ts";
import { StubPlatform } from "../../src/testing/stub-platform.ts";
import { WorkerBench } from "../../src/testing/worker-bench.ts";

const echo: Handler = (job) => ({ echo: job.input });
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

afterEach(() => clearFitnessChecks());

function failing(message: string): () => Promise<void> {
  return async () => {
    throw new RangeError(message);
  };
}

describe("start-up", () => {
  it("W02: --test_input sends no request although the webhook variables are set", async () => {
    const platform = await StubPlatform.open();
    const surface = new FakeSurface({ argv: ["--test_input", '{"input":{}}'], env: platform.env() });
    expect(await start({ handler: echo, surface })).toBe(0);
    await wait(50);
    await platform.close();
    expect(platform.requests).toEqual([]);
    expect(surface.output).toContain("Local testing complete, exiting.");
  });

  it("W04: unknown flags do not stop a production worker", async () => {
    const bench = await WorkerBench.open(echo, { argv: ["--my_flag", "--level=3"] }, (platform) => {
      platform.queue({ id: "j1", input: 1 });
    });
    expect(await bench.results(1)).toEqual([{ id: "j1", body: { output: { echo: 1 } } }]);
  });

  it("W05: the first line of a production worker is the banner", async () => {
    const bench = await WorkerBench.open(echo, { env: { RUNPOD_ENDPOINT_ID: "ep" } }, (platform) => {
      platform.queue({ id: "j1", input: 1 });
    });
    await bench.results(1);
    expect(bench.surface.lines[0]).toMatch(/^--- Starting Serverless Worker \| {2}Version \S+ ---$/);
    expect(bench.surface.lines.slice(1).map((line) => typeof JSON.parse(line))).not.toContain("string");
  });

  it("W06: without RUNPOD_POD_ID the worker id is one UUID in all URLs", async () => {
    const handler: Handler = async function* () {
      yield "chunk";
    };
    const bench = await WorkerBench.open(handler, { env: { RUNPOD_POD_ID: undefined } }, (platform) => {
      platform.queue({ id: "j1", input: 1 });
    });
    await bench.results(1);
    const { platform } = bench;
    await platform.until(() => platform.of("stop").length > 0, "a stop poll");
    const polled = platform.of("take", "stop").map((request) => request.path.split("/").at(-1));
    const posted = platform.of("done", "stream").map((request) => request.path.split("/").at(-2));
    const ids = new Set([...polled, ...posted]);
    expect(posted).toHaveLength(2);
    expect(ids.size).toBe(1);
    expect([...ids][0]).toMatch(UUID);
  });

  it("W12: an invalid log level does not stop the worker and is warned of once", async () => {
    const bench = await WorkerBench.open(echo, { env: { RUNPOD_LOG_LEVEL: "loud" } }, (platform) => {
      platform.queue({ id: "j1", input: 1 });
    });
    await bench.results(1);
    expect(bench.surface.lines.filter((line) => line.startsWith("WARN"))).toEqual([
      "WARN   | RUNPOD_LOG_LEVEL is not a log level, using INFO (known: NOTSET, TRACE, DEBUG, INFO, WARN, ERROR)",
    ]);
  });

  it.each(["WARNING", "fatal", "CRITICAL", "2", "30", "debug"])(
    "W12: the log level %s is understood",
    async (level) => {
      const surface = new FakeSurface({ env: { RUNPOD_LOG_LEVEL: level }, argv: ["--test_input", "5"] });
      await start({ handler: echo, surface });
      expect(surface.output).not.toContain("is not a log level");
    },
  );

  it("refuses to take jobs whose results could not be delivered", async () => {
    const platform = await StubPlatform.open();
    const surface = new FakeSurface({ env: platform.env({ RUNPOD_WEBHOOK_POST_OUTPUT: undefined }) });
    expect(await start({ handler: echo, surface })).toBe(1);
    await platform.close();
    expect(platform.requests).toEqual([]);
    expect(surface.output).toContain("RUNPOD_WEBHOOK_POST_OUTPUT is not");
  });

  it("refuses a concurrency that is not a whole number", async () => {
    const platform = await StubPlatform.open();
    const surface = new FakeSurface({ env: platform.env() });
    expect(await start({ handler: echo, surface, concurrency: 0 })).toBe(1);
    await platform.close();
    expect(surface.output).toContain("concurrency must be a whole number (got 0, limit 1 to 1000)");
  });
});

describe("fitness checks", () => {
  it("W07: no take and no ping before all checks have passed", async () => {
    let passedAtMs = Number.POSITIVE_INFINITY;
    registerFitnessCheck("slow", async () => {
      await wait(150);
      passedAtMs = performance.now();
    });
    const bench = await WorkerBench.open(echo, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    await bench.results(1);
    for (const request of bench.platform.requests) expect(request.atMs).toBeGreaterThan(passedAtMs);
  });

  it("W08: a failing check reports once to the ping URL and exits with 1", async () => {
    const bench = await WorkerBench.open(echo, {
      fitnessChecks: [{ name: "my check", check: failing(`secret-api-key is wrong ${"x".repeat(400)}`) }],
    });
    expect(await bench.exit).toBe(1);
    const { requests } = bench.platform;
    expect(requests.map((request) => [request.method, request.route])).toEqual([["GET", "ping"]]);
    const query = requests[0]?.query ?? new URLSearchParams();
    expect(query.get("status")).toBe("unhealthy");
    expect(query.get("check")).toBe("my check");
    expect(query.get("reason")).toMatch(/^RangeError: \[redacted\] is wrong x+$/);
    expect(query.get("reason")).toHaveLength(256);
    expect(query.get("runpod_version")).toMatch(/^1\.12\.0/);
    expect(query.get("gpu")).toBe("NVIDIA L4");
    expect(requests[0]?.headers["authorization"]).toBe("secret-api-key");
    expect(bench.surface.lines.at(-1)).toBe("ERROR  | Worker is unhealthy, exiting.");
    expect(bench.surface.output).toContain("ERROR  | Fitness check failed: my check | RangeError: [redacted] is wrong");
  });

  it("W08: exits within 3 s although the ping URL hangs", async () => {
    const bench = await WorkerBench.open(echo, { fitnessChecks: [{ name: "c", check: failing("no") }] }, (platform) => {
      platform.respond("ping", () => new Promise(() => {}));
    });
    expect(await bench.exit).toBe(1);
    expect(bench.platform.requests).toHaveLength(1);
  });

  it.each([{ RUNPOD_WEBHOOK_PING: undefined }, { RUNPOD_AI_API_KEY: undefined }])(
    "W09: with %j the failing check exits with 1 and sends nothing",
    async (env) => {
      const bench = await WorkerBench.open(echo, { env, fitnessChecks: [{ name: "c", check: failing("no") }] });
      expect(await bench.exit).toBe(1);
      expect(bench.platform.requests).toEqual([]);
    },
  );

  it("W10: user checks run before automatic ones, in order, and the first failure stops the rest", async () => {
    const ran: string[] = [];
    registerFitnessCheck("first", () => void ran.push("first"));
    registerFitnessCheck("second", async () => void ran.push("second"));
    registerFitnessCheck("third", () => {
      ran.push("third");
      throw new Error("stop here");
    });
    registerFitnessCheck("fourth", () => void ran.push("fourth"));
    const env = { RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: undefined, RUNPOD_LOG_LEVEL: "DEBUG" };
    const bench = await WorkerBench.open(echo, { env });
    expect(await bench.exit).toBe(1);
    expect(ran).toEqual(["first", "second", "third"]);
    expect(bench.surface.output).toContain("INFO   | Running 7 fitness check(s)...");
    expect(bench.surface.output).not.toContain("Executing fitness check: _memory_check");
  });

  it("W10: automatic checks come after the user's", async () => {
    registerFitnessCheck("mine", () => {});
    const env = { RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: undefined, RUNPOD_MIN_MEMORY_GB: "1e9", RUNPOD_LOG_LEVEL: "DEBUG" };
    const bench = await WorkerBench.open(echo, { env });
    expect(await bench.exit).toBe(1);
    const executed = bench.surface.lines.filter((line) => line.includes("Executing fitness check"));
    expect(executed.map((line) => line.split(": ")[1])).toEqual(["mine", "_memory_check"]);
    expect(bench.surface.output).toMatch(
      /_memory_check \| Error: Insufficient memory: [\d.]+GB available, 1000000000GB/,
    );
  });

  it("W11: RUNPOD_SKIP_AUTO_SYSTEM_CHECKS=true removes the automatic system checks", async () => {
    const env = { RUNPOD_MIN_MEMORY_GB: "1e9", RUNPOD_MIN_DISK_PERCENT: "101", RUNPOD_LOG_LEVEL: "DEBUG" };
    const bench = await WorkerBench.open(echo, { env }, (platform) => platform.queue({ id: "j1", input: 1 }));
    await bench.results(1);
    expect(bench.surface.output).toContain("No fitness checks registered, skipping.");
  });

  it("answers every job with the reason when onUnfit says so, and reports it", async () => {
    const bench = await WorkerBench.open(
      echo,
      { onUnfit: "answer", fitnessChecks: [{ name: "model", check: failing("the model is missing") }] },
      (platform) => platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 }),
    );
    const results = await bench.results(2);
    for (const { body } of results) {
      const { error } = body as { error: string };
      expect(JSON.parse(error)).toMatchObject({ error_type: "RangeError", error_message: "the model is missing" });
    }
    expect(bench.platform.of("ping")[0]?.query.get("status")).toBe("unhealthy");
  });

  it("reports it and leaves the jobs to the handler when onUnfit says so", async () => {
    const bench = await WorkerBench.open(
      echo,
      { onUnfit: "handle", fitnessChecks: [{ name: "model", check: failing("the model is missing") }] },
      (platform) => platform.queue({ id: "j1", input: 1 }),
    );
    const [result] = await bench.results(1);
    expect(result?.body).toHaveProperty("output");
    expect(bench.platform.of("ping")[0]?.query.get("status")).toBe("unhealthy");
  });

  it("exits with 0 on a signal that comes while the checks run", async () => {
    const bench = await WorkerBench.open(echo, { fitnessChecks: [{ name: "slow", check: () => wait(5_000) }] });
    await wait(50);
    bench.surface.signal();
    expect(await bench.exit).toBe(0);
  });
});
