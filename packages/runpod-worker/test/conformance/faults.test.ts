import { describe, expect, it } from "vitest";
import { WorkerBench } from "../../src/testing/worker-bench.ts";
import { WorkerProcess } from "../../src/testing/worker-process.ts";
import { TakeLoop } from "../../src/loop/take-loop.ts";
import { StopLoop } from "../../src/loop/stop-loop.ts";

function errorIn(body: unknown): unknown {
  return JSON.parse((body as { error: string }).error);
}

describe("a real worker process", () => {
  it("W08: an unfit worker exits with 1 although handles are alive", async () => {
    const worker = await WorkerProcess.open({ FIXTURE_UNFIT: "yes" });
    expect(await worker.exit).toBe(1);
    expect(worker.platform.requests.map((request) => request.query.get("status"))).toEqual(["unhealthy"]);
  });

  it("W65: SIGTERM while idle exits 0 within 2 s", async () => {
    const worker = await WorkerProcess.open({}, (platform) => {
      platform.holdMs = 60_000;
    });
    const { platform } = worker;
    await worker.until(() => platform.of("take", "stop").length === 2, "both polls");
    worker.child.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
  });

  it.each(["SIGTERM", "SIGINT"] as const)("W66: %s during a job posts the result and exits 0", async (signal) => {
    const worker = await WorkerProcess.open({}, (platform) => {
      platform.queue({ id: "j1", input: { do: "wait", ms: 700 } });
    });
    await worker.until(() => worker.output.includes("Started."), "the job");
    worker.child.kill(signal);
    expect(await worker.exit).toBe(0);
    expect(worker.platform.results.map((post) => post.json)).toEqual([{ output: "wait" }]);
  });

  it("W68: a second SIGTERM exits at once", async () => {
    const worker = await WorkerProcess.open({}, (platform) => platform.queue({ id: "j1", input: { do: "hang" } }));
    await worker.until(() => worker.output.includes("Started."), "the job");
    worker.child.kill("SIGTERM");
    await worker.until(() => worker.output.includes("SIGTERM received, finishing 1 job(s)."), "the first signal");
    worker.child.kill("SIGTERM");
    expect(await worker.exit).toBe(1);
  });

  it("W82: the death of the heartbeat thread ends the process with 1 within 5 s", async () => {
    const worker = await WorkerProcess.open({}, (platform) => {
      platform.queue({ id: "j1", input: { do: "kill-heartbeat" } });
    });
    await worker.until(() => worker.output.includes("Started."), "the job");
    expect(await worker.exit).toBe(1);
    expect(worker.output).toContain("Cannot go on: the heartbeat ended");
    expect(errorIn(worker.platform.results[0]?.json)).toMatchObject({ error_type: "RunpodWorkerError" });
  });

  it.each([
    ["an uncaught exception", "uncaught", "thrown outside the handler"],
    ["an unhandled rejection", "unhandled", "rejected outside the handler"],
  ])("W85: %s posts an error for each running job and exits with 1", async (_name, what, message) => {
    const worker = await WorkerProcess.open({ FIXTURE_CONCURRENCY: "2" }, (platform) => {
      platform.queue({ id: "j1", input: { do: "hang" } }, { id: "j2", input: { do: what } });
    });
    expect(await worker.exit).toBe(1);
    const { results } = worker.platform;
    expect(new Set(results.map((post) => post.path.split("/").at(-1)))).toEqual(new Set(["j1", "j2"]));
    expect(results).toHaveLength(2);
    for (const post of results) {
      expect(errorIn(post.json)).toMatchObject({ error_type: "RangeError", error_message: message });
    }
  });

  it("W85: exits within 5 s although no post is answered", async () => {
    const worker = await WorkerProcess.open({}, (platform) => {
      platform.respond("done", () => new Promise(() => {}));
      platform.queue({ id: "j1", input: { do: "uncaught" } });
    });
    await worker.until(() => worker.output.includes("Started."), "the job");
    expect(await worker.exit).toBe(1);
  });
});

describe("loops that die", () => {
  it.each([
    ["take loop", TakeLoop],
    ["stop loop", StopLoop],
  ])("W82: the death of the %s ends the worker with 1 within 5 s", async (name, loop) => {
    const original = loop.prototype.run;
    loop.prototype.run = async () => {
      throw new TypeError("broken inside");
    };
    try {
      const bench = await WorkerBench.open(() => 1);
      expect(await bench.exit).toBe(1);
      expect(bench.surface.output).toContain(`Cannot go on: the ${name} ended`);
      expect(bench.surface.output).toContain("broken inside");
    } finally {
      loop.prototype.run = original;
    }
  });
});
