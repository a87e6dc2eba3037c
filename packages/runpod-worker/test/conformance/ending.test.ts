import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Handler, type Job, JobError, type JobContext, start, type WorkerState } from "../../src/index.ts";
import { FakeSurface } from "../../src/testing/fake-surface.ts";
import { json, status, StubPlatform } from "../../src/testing/stub-platform.ts";
import { WorkerBench } from "../../src/testing/worker-bench.ts";

function errorOf(body: unknown): string {
  return (body as { error: string }).error;
}

/** Runs until its job is stopped, and reports how it ended. */
function untilAborted(context: JobContext): Promise<string> {
  return new Promise((resolve) => {
    context.signal.addEventListener("abort", () => resolve("was stopped"), { once: true });
  });
}

const patient: Handler = (_job, context) => untilAborted(context);

describe("stopping jobs", () => {
  it("W59: the stop poll has the take's query without job_in_progress, also when idle", async () => {
    const bench = await WorkerBench.open(patient);
    await bench.platform.until(() => bench.platform.of("stop").length === 1, "a stop poll");
    expect(bench.platform.of("stop")[0]?.method).toBe("GET");
    expect(bench.platform.of("stop")[0]?.target).toBe("/v2/ep/job-stop/pod1?gpu=NVIDIA+L4");
  });

  it("W60: of two running jobs only the named one is stopped, without a post", async () => {
    const stopped: string[] = [];
    let finishOther = (): void => {};
    const handler: Handler = async (job, context) => {
      const other = new Promise<void>((resolve) => {
        if (job.id === "j2") finishOther = resolve;
      });
      await Promise.race([untilAborted(context).then(() => stopped.push(job.id)), other]);
      return job.id;
    };
    const bench = await WorkerBench.open(handler, { concurrency: 2 }, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 });
      platform.stop("j1");
    });
    await bench.platform.until(() => bench.surface.output.includes("Job stopped."), "the stop");
    expect(stopped).toEqual(["j1"]);
    finishOther();
    expect(await bench.results(1)).toEqual([{ id: "j2", body: { output: "j2" } }]);
    await wait(50);
    expect(bench.platform.results).toHaveLength(1);
    expect(bench.surface.lines).toContain("INFO   | j1 | Stopping job.");
    expect(bench.surface.lines).toContain("INFO   | j1 | Job stopped.");
  });

  it("W60: a stopped stream posts no more chunks and its generator is closed", async () => {
    let isClosed = false;
    let made = 0;
    const handler: Handler = async function* () {
      try {
        for (;;) {
          yield made;
          made += 1;
          await wait(5);
        }
      } finally {
        isClosed = true;
      }
    };
    const bench = await WorkerBench.open(handler, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    await bench.platform.until(() => bench.platform.of("stream").length > 3, "some chunks");
    bench.platform.stop("j1");
    await bench.platform.until(() => bench.surface.output.includes("Job stopped."), "the stop");
    // The last one may still be on the wire.
    const lastChunk = made;
    await wait(80);
    expect(made).toBe(lastChunk);
    const chunks = bench.platform.of("stream").map((post) => (post.json as { output: number }).output);
    expect(Math.max(...chunks)).toBeLessThanOrEqual(lastChunk);
    expect(bench.platform.results).toEqual([]);
    expect(isClosed).toBe(true);
  });

  it("W60: the slot is free again only when the handler has returned", async () => {
    let release = (): void => {};
    const handler: Handler = (job) =>
      job.id === "j1" ? new Promise<void>((resolve) => void (release = resolve)) : "second";
    const bench = await WorkerBench.open(handler, {}, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 });
    });
    await bench.platform.until(() => bench.surface.output.includes("Started."), "the job");
    bench.platform.stop("j1");
    await bench.platform.until(() => bench.surface.output.includes("Stopping job."), "the stop");
    await wait(50);
    expect(bench.platform.of("take")).toHaveLength(1);
    release();
    expect(await bench.results(1)).toEqual([{ id: "j2", body: { output: "second" } }]);
  });

  it("W61: unknown ids, non-strings and other nonsense are ignored and the poll goes on", async () => {
    const answers: readonly unknown[] = [
      { jobsToStop: ["unknown"] },
      { jobsToStop: [5, null, {}] },
      { jobsToStop: "j1" },
      { jobsToStop: null },
      ["j1"],
      {},
      "text",
    ];
    const bench = await WorkerBench.open(patient, {}, (platform) => {
      platform.queue({ id: "j1", input: 1 });
      platform.respondInTurn("stop", [
        ...answers.map((answer) => ({ response }: Parameters<ReturnType<typeof status>>[0]) => {
          json(response, answer);
          return true;
        }),
        ({ response }) => {
          response.writeHead(200, { "Content-Type": "text/html" }).end("<p>");
          return true;
        },
        status(500),
        status(429, { "Retry-After": "0" }),
      ]);
    });
    await bench.platform.until(() => bench.platform.of("stop").length > answers.length + 3, "polls after all answers");
    expect(bench.surface.output).not.toContain("Stopping job.");
    bench.platform.stop("j1");
    await bench.platform.until(() => bench.surface.output.includes("Job stopped."), "the stop");
  });

  it("W62: 404 on the stop URL does not disturb takes, and polls become rare", async () => {
    // A second of the specification is a hundredth here.
    const bench = await WorkerBench.open(
      (job) => job.id,
      { timing: { stopPauseMs: 10, stopMissingMaxMs: 600 } },
      (platform) => {
        platform.respond("stop", status(404));
        platform.queue({ id: "j1", input: 1 });
      },
    );
    await bench.results(1);
    await wait(2_500);
    const late = bench.platform.of("stop").map((poll) => poll.atMs);
    const startedAtMs = late[0] ?? 0;
    const afterFirstMinute = late.filter((atMs) => atMs > startedAtMs + 600);
    expect(afterFirstMinute.length).toBeGreaterThanOrEqual(2);
    for (const [index, atMs] of afterFirstMinute.slice(1).entries()) {
      expect(atMs - (afterFirstMinute[index] ?? 0)).toBeGreaterThanOrEqual(300);
    }
    expect(bench.surface.output.split("no stop channel")).toHaveLength(2);
    expect(bench.surface.output).not.toContain("ERROR");
  });

  it("a take URL without /job-take/ gives one warning and no stop poll", async () => {
    const bench = await WorkerBench.open((job) => job.id, {
      env: ({ origin }) => ({ RUNPOD_WEBHOOK_GET_JOB: `${origin}/custom/$ID?x=1` }),
    });
    await bench.platform.until(() => bench.platform.of("other").length > 0, "a take");
    await wait(50);
    expect(bench.platform.of("stop")).toEqual([]);
    expect(bench.surface.output.split("no stop channel")).toHaveLength(2);
  });

  it("a handler that ignores its stop beyond the limit ends the process with 1", async () => {
    const deaf: Handler = () => new Promise(() => {});
    const bench = await WorkerBench.open(deaf, { stopTimeoutMs: 60 }, (platform) => {
      platform.queue({ id: "j1", input: 1 });
      platform.stop("j1");
    });
    await bench.platform.until(() => bench.surface.output.includes("Started."), "the job");
    bench.platform.stop("j1");
    expect(await bench.exit).toBe(1);
    expect(bench.platform.results).toEqual([]);
  });
});

describe("refreshing the worker", () => {
  it.each([
    ["success", () => ({ a: 1 }), { output: { a: 1 }, stopPod: true }],
    ["an error", () => ({ error: "bad" }), { error: "bad", stopPod: true }],
  ])("W63: the start option posts stopPod on %s and exits 0 without a further take", async (_name, handler, body) => {
    const bench = await WorkerBench.open(handler, { refreshWorker: true }, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 });
    });
    expect(await bench.exit).toBe(0);
    expect(bench.platform.results.map((post) => post.json)).toEqual([body]);
    expect(bench.platform.of("take")).toHaveLength(1);
    expect(bench.surface.lines).toContain("INFO   | j1 | refresh_worker flag set, stopping pod after job.");
  });

  it("W63: the start option also works for a throw and for a stream", async () => {
    const throwing: Handler = () => {
      throw new Error("no");
    };
    const bench = await WorkerBench.open(throwing, { refreshWorker: true }, (p) => p.queue({ id: "j1", input: 1 }));
    expect(await bench.exit).toBe(0);
    expect(bench.platform.results[0]?.json).toMatchObject({ stopPod: true, error: expect.any(String) });
    const streaming: Handler = async function* () {
      yield 1;
    };
    const second = await WorkerBench.open(streaming, { refreshWorker: true }, (p) => p.queue({ id: "j1", input: 1 }));
    expect(await second.exit).toBe(0);
    expect(second.platform.results[0]?.json).toEqual({ output: [], stopPod: true });
  });

  it.each([
    ["returns refresh_worker", () => ({ z: 2, refresh_worker: true }), { output: { z: 2 }, stopPod: true }],
    [
      "asks through its context",
      (_job: Job, context: JobContext) => {
        context.refreshWorker();
        return 5;
      },
      { output: 5, stopPod: true },
    ],
    [
      "asks in a generator",
      async function* (_job: Job, context: JobContext) {
        yield 1;
        context.refreshWorker();
      },
      { output: [], stopPod: true },
    ],
  ])("W64: a handler that %s posts stopPod, without the key in the output", async (_name, handler, body) => {
    const bench = await WorkerBench.open(handler, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    expect(await bench.results(1)).toEqual([{ id: "j1", body }]);
    expect(await bench.exit).toBe(0);
  });

  it("W64: a JobError with refreshWorker does so too", async () => {
    const handler: Handler = () => {
      throw new JobError("GPU lost", { refreshWorker: true });
    };
    const bench = await WorkerBench.open(handler, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    const [result] = await bench.results(1);
    expect(result?.body).toMatchObject({ stopPod: true, error: expect.stringContaining("GPU lost") });
  });

  it("W84: after stopPod no further job is taken, while another one finishes", async () => {
    let finishOther = (): void => {};
    const handler: Handler = (job) => {
      if (job.id === "j1") return { refresh_worker: true };
      return new Promise<string>((resolve) => void (finishOther = () => resolve("done")));
    };
    const bench = await WorkerBench.open(handler, { concurrency: 3 }, (platform) => {
      platform.queue({ id: "j2", input: 1 }, { id: "j1", input: 1 });
    });
    await bench.results(1);
    const takes = bench.platform.of("take", "take-batch").length;
    bench.platform.queue({ id: "j3", input: 1 });
    await wait(100);
    expect(bench.platform.of("take", "take-batch")).toHaveLength(takes);
    finishOther();
    expect((await bench.results(2)).map((result) => result.body)).toEqual([{ stopPod: true }, { output: "done" }]);
    expect(await bench.exit).toBe(0);
  });

  it("a handler that finds the worker unhealthy has it reported, replaced, and ended with 1", async () => {
    const handler: Handler = (_job, context) => {
      context.reportUnhealthy("engine", new RangeError("the weights are gone"));
      context.reportUnhealthy("engine", new RangeError("said twice"));
      return { error: "cannot speak" };
    };
    const bench = await WorkerBench.open(handler, { timing: { refreshExitMs: 3_600_000 } }, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 });
    });
    expect(await bench.exit).toBe(1);
    expect(bench.platform.results.map((post) => post.json)).toEqual([{ error: "cannot speak", stopPod: true }]);
    const reports = bench.platform.of("ping").filter(({ query }) => query.get("status") === "unhealthy");
    expect(reports.map(({ query }) => [query.get("check"), query.get("reason")])).toEqual([
      ["engine", "RangeError: the weights are gone"],
    ]);
  });

  it("W84: waits for the platform's signal after a handler asked, then leaves at once", async () => {
    const handler: Handler = () => ({ refresh_worker: true });
    const options = { timing: { refreshExitMs: 30_000 } };
    const bench = await WorkerBench.open(handler, options, (platform) => platform.queue({ id: "j1", input: 1 }));
    await bench.results(1);
    await wait(100);
    expect(bench.surface.exitCodes).toEqual([]);
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(0);
  });
});

describe("shutting down", () => {
  it("W65: SIGTERM while idle with a held take exits 0 within 2 s", async () => {
    const states: WorkerState[] = [];
    const bench = await WorkerBench.open(
      patient,
      { timing: { takeLingerMs: 300 }, onStateChange: (state) => states.push(state) },
      (platform) => {
        platform.holdMs = 60_000;
      },
    );
    await bench.platform.until(() => bench.platform.of("take", "stop").length === 2, "both polls");
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(0);
    expect(states).toEqual(["checking", "running", "draining", "stopped"]);
  });

  it("W66: SIGTERM during a job: the result is posted, then exit 0", async () => {
    let finish = (): void => {};
    const handler: Handler = () => new Promise<string>((resolve) => void (finish = () => resolve("done")));
    const bench = await WorkerBench.open(handler, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    await bench.platform.until(() => bench.surface.output.includes("Started."), "the job");
    bench.surface.signal("SIGTERM");
    await wait(150);
    expect(bench.surface.exitCodes).toEqual([]);
    finish();
    expect(await bench.exit).toBe(0);
    expect(await bench.results(1)).toEqual([{ id: "j1", body: { output: "done" } }]);
    expect(bench.platform.of("take")).toHaveLength(1);
  });

  it("W66: a job can still be stopped while the worker drains", async () => {
    const bench = await WorkerBench.open(patient, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    await bench.platform.until(() => bench.surface.output.includes("Started."), "the job");
    bench.surface.signal("SIGTERM");
    bench.platform.stop("j1");
    expect(await bench.exit).toBe(0);
    expect(bench.platform.results).toEqual([]);
  });

  it("W67: a job that is delivered at the moment of SIGTERM is run", async () => {
    const bench = await WorkerBench.open((job) => job.id, { timing: { takeLingerMs: 300 } });
    await bench.platform.until(() => bench.platform.of("take").length === 1, "the held take");
    bench.surface.signal("SIGTERM");
    bench.platform.queue({ id: "j1", input: 1 });
    expect(await bench.exit).toBe(0);
    expect(await bench.results(1)).toEqual([{ id: "j1", body: { output: "j1" } }]);
  });

  it("W67: a job whose delivery has begun is read to its end and run", async () => {
    const bench = await WorkerBench.open(
      (job) => job.input,
      { timing: { takeLingerMs: 30 } },
      (platform) => {
        platform.respond("take", async ({ response }) => {
          response.writeHead(200, { "Content-Type": "application/json" });
          response.write('{"id":"j1",');
          await wait(300);
          response.end('"input":"slow body"}');
          return true;
        });
      },
    );
    await bench.platform.until(() => bench.platform.of("take").length === 1, "the take");
    await wait(50);
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(0);
    expect(await bench.results(1)).toEqual([{ id: "j1", body: { output: "slow body" } }]);
  });

  it("W67: once the worker has given a take up, the platform sees it closed", async () => {
    let isClosed = false;
    const bench = await WorkerBench.open(patient, {}, (platform) => {
      platform.respond("take", ({ response }) => {
        response.on("close", () => {
          isClosed = true;
        });
        return true;
      });
    });
    await bench.platform.until(() => bench.platform.of("take").length === 1, "the take");
    bench.surface.signal("SIGTERM");
    await bench.exit;
    await bench.platform.until(() => isClosed, "the end of the connection");
    expect(isClosed).toBe(true);
  });

  it("W68: a second SIGTERM exits at once", async () => {
    const deaf: Handler = () => new Promise(() => {});
    const bench = await WorkerBench.open(deaf, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    await bench.platform.until(() => bench.surface.output.includes("Started."), "the job");
    bench.surface.signal("SIGTERM");
    await wait(50);
    expect(bench.surface.exitCodes).toEqual([]);
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(1);
    expect(bench.platform.results).toEqual([]);
  });

  it.each([
    ["the start option", { shutdownGraceMs: 100 }, {}],
    ["RUNPOD_SHUTDOWN_GRACE_MS, which wins,", { shutdownGraceMs: 60_000 }, { RUNPOD_SHUTDOWN_GRACE_MS: "100" }],
  ])("W68: the end of the grace time of %s fails running jobs and exits", async (_name, options, env) => {
    const aborted: unknown[] = [];
    const deaf: Handler = (_job, { signal }) => {
      signal.addEventListener("abort", () => aborted.push(signal.reason));
      return new Promise(() => {});
    };
    const bench = await WorkerBench.open(deaf, { ...options, env }, (platform) =>
      platform.queue({ id: "j1", input: 1 }),
    );
    await bench.platform.until(() => bench.surface.output.includes("Started."), "the job");
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(0);
    const [result] = await bench.results(1);
    expect(JSON.parse(errorOf(result?.body))).toMatchObject({
      error_type: "RunpodWorkerError",
      error_message: "Cannot finish the job: the worker was shut down after 100 ms of grace",
    });
    expect(aborted).toHaveLength(1);
  });

  it("W68: a result that could not be posted by the end of the grace time is named, and the exit code is a failure", async () => {
    const bench = await WorkerBench.open(
      (job) => job.id,
      { shutdownGraceMs: 100 },
      (platform) => {
        platform.respond("done", status(503));
        platform.queue({ id: "lost-job", input: 1 });
      },
    );
    await bench.platform.until(() => bench.platform.results.length > 0, "a refused result");
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(1);
    expect(bench.surface.lines).toContain(
      "ERROR  | lost-job | The worker is exiting, but this job's result could not be delivered.",
    );
  });

  it("W68: so is one that was being posted when a second SIGTERM came", async () => {
    const bench = await WorkerBench.open(
      (job) => job.id,
      {},
      (platform) => {
        platform.respond("done", () => new Promise(() => {}));
        platform.queue({ id: "lost-job", input: 1 });
      },
    );
    await bench.platform.until(() => bench.platform.results.length > 0, "a held result");
    bench.surface.signal("SIGTERM");
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(1);
    expect(bench.surface.output).toContain("| lost-job | The worker is exiting, but");
  });

  it("W66: a result that is given up while the worker drains makes the exit code a failure too", async () => {
    const bench = await WorkerBench.open(
      (job) => job.id,
      { timing: { resultBudgetMs: 150 } },
      (platform) => {
        platform.respond("done", status(503));
        platform.queue({ id: "j1", input: 1 });
      },
    );
    await bench.platform.until(() => bench.platform.results.length > 0, "a refused result");
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(1);
    expect(bench.surface.output).toContain("ERROR  | j1 | Failed to return job results. | HTTP 503");
  });

  it("W66: one that was lost long before does not make a later end a failure", async () => {
    const bench = await WorkerBench.open(
      (job) => job.id,
      {},
      (platform) => {
        platform.respondInTurn("done", [status(409)]);
        platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 });
      },
    );
    await bench.results(2);
    await bench.platform.until(() => bench.platform.of("take").length === 3, "the take after the jobs");
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(0);
  });

  it.each([
    ["in its head", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"],
    ["in its body", 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"id":"j1",'],
  ])("W65: SIGTERM while the answer to a take is stuck %s ends the worker", async (_name, bytes) => {
    let sent = false;
    const bench = await WorkerBench.open(patient, { timing: { pollTimeoutMs: 3_600_000 } }, (platform) => {
      platform.respond("take", ({ response }) => {
        response.socket?.write(bytes, () => void (sent = true));
        return true;
      });
    });
    await bench.platform.until(() => sent, "half of an answer");
    bench.surface.signal("SIGTERM");
    expect(await bench.exit).toBe(0);
    expect(bench.platform.results).toEqual([]);
  });

  it("W65: a signal that comes while start() has not begun to listen ends the worker before the first take", async () => {
    const platform = await StubPlatform.open();
    platform.queue({ id: "j1", input: 1 });
    const surface = new FakeSurface({ env: platform.env() });
    const exit = start({ handler: () => 1, surface });
    surface.signal("SIGTERM");
    expect(await exit).toBe(0);
    await platform.close();
    expect(platform.requests).toEqual([]);
  });
});
