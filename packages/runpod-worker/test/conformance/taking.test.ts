import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Handler } from "../../src/index.ts";
import { DEFAULT_TIMING } from "../../src/config/worker-timing.ts";
import { json, type Responder, reset, status, StubPlatform } from "../../src/testing/stub-platform.ts";
import { WorkerBench } from "../../src/testing/worker-bench.ts";

const echo: Handler = (job) => job.input;

/** Jobs that end when the test says so. */
class Gate {
  readonly started: string[] = [];
  readonly #open = new Map<string, () => void>();

  readonly handler: Handler = (job) => {
    this.started.push(job.id);
    return new Promise<string>((resolve) => void this.#open.set(job.id, () => resolve(job.id)));
  };

  open(...ids: readonly string[]): void {
    for (const id of ids) this.#open.get(id)?.();
  }
}

/** Waits between the takes, in milliseconds. */
function gapsOf(platform: StubPlatform): readonly number[] {
  const times = platform.of("take").map((take) => take.atMs);
  return times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
}

describe("asking for jobs", () => {
  it("W21: the first take says that nothing is in progress, later ones that something is", async () => {
    const gate = new Gate();
    const bench = await WorkerBench.open(gate.handler, { concurrency: 2 }, (platform) => {
      platform.queue({ id: "j1", input: 1 });
    });
    const { platform } = bench;
    await platform.until(() => platform.of("take", "take-batch").length === 2, "a second take");
    const takes = platform.of("take", "take-batch").map((take) => take.query.get("job_in_progress"));
    expect(takes).toEqual(["0", "1"]);
    gate.open("j1");
  });

  it.each([204, 400])("W22: HTTP %i is not an error and the next take follows", async (code) => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.respondInTurn("take", [status(code), status(code)]);
      platform.queue({ id: "j1", input: 1 });
    });
    await bench.results(1);
    expect(bench.surface.output).not.toContain("ERROR");
  });

  it("W23: after 429 no take follows within the limit, 5 s by default", async () => {
    expect(DEFAULT_TIMING.throttledMs).toBe(5_000);
    const bench = await WorkerBench.open(echo, { timing: { throttledMs: 500 } }, (platform) => {
      platform.respondInTurn("take", [status(429)]);
    });
    await bench.platform.until(() => bench.platform.of("take").length === 2, "the next take");
    expect(gapsOf(bench.platform)[0]).toBeGreaterThanOrEqual(490);
  });

  it("W23: Retry-After decides how long", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.respondInTurn("take", [status(429, { "Retry-After": "1" })]);
    });
    await bench.platform.until(() => bench.platform.of("take").length === 2, "the next take");
    expect(gapsOf(bench.platform)[0]).toBeGreaterThanOrEqual(990);
  });

  it("W24: answers without a job are not errors", async () => {
    const answers: readonly (readonly [type: string, body: string])[] = [
      ["text/html", "<p>hello</p>"],
      ["application/json", ""],
      ["application/json", '{"id": "half'],
      ["application/json", "null"],
      ["application/json", "5"],
      ["application/json", '"text"'],
      ["application/json", "[]"],
    ];
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.respondInTurn(
        "take",
        answers.map(([type, body]): Responder => ({ response }) => {
          response.writeHead(200, { "Content-Type": type }).end(body);
          return true;
        }),
      );
      platform.queue({ id: "j1", input: 1 });
    });
    expect(await bench.results(1)).toEqual([{ id: "j1", body: { output: 1 } }]);
    expect(bench.platform.of("take").length).toBeGreaterThan(answers.length);
    expect(bench.surface.output).not.toContain("ERROR");
  });

  it.each([401, 500])("W25: HTTP %i for 10 s brings fewer than 10 takes", async (code) => {
    // All waits and times are a fifth of the real ones.
    const timing = {
      pollBackOffMs: DEFAULT_TIMING.pollBackOffMs / 5,
      pollBackOffMaxMs: DEFAULT_TIMING.pollBackOffMaxMs / 5,
    };
    const bench = await WorkerBench.open(echo, { timing }, (platform) => platform.respond("take", status(code)));
    await wait(2_000);
    expect(bench.platform.of("take").length).toBeGreaterThan(2);
    expect(bench.platform.of("take").length).toBeLessThan(10);
  });

  it("W25: refusals alone for a long time name the variable to check", async () => {
    const bench = await WorkerBench.open(echo, { timing: { refusedReportMs: 150 } }, (platform) => {
      platform.respond("take", status(401));
    });
    await bench.platform.until(() => bench.surface.output.includes("check RUNPOD_AI_API_KEY"), "the report");
    await wait(200);
    expect(bench.surface.output.split("check RUNPOD_AI_API_KEY")).toHaveLength(2);
  });

  it("W26: a closed port that is opened later needs no restart", async () => {
    const early = await StubPlatform.open();
    const { port } = early;
    await early.close();
    const base = `http://127.0.0.1:${port}/v2/ep`;
    const bench = await WorkerBench.open(echo, {
      env: {
        RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID?gpu=x`,
        RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=x`,
      },
    });
    await bench.platform.until(() => bench.surface.output.includes("Failed to get job."), "an error line");
    const late = await StubPlatform.open(port);
    late.queue({ id: "j1", input: "back" });
    await late.until(() => late.results.length === 1, "the result");
    expect(late.results[0]?.json).toEqual({ output: "back" });
    await late.close();
  });

  it("W26: a platform that is away for a while loses no result", async () => {
    const gate = new Gate();
    const bench = await WorkerBench.open(gate.handler, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    const { platform } = bench;
    await platform.until(() => gate.started.length === 1, "the job");
    for (const route of ["take", "stop", "done", "ping"] as const) platform.respond(route, reset);
    gate.open("j1");
    await wait(600);
    const triesWhileAway = platform.results.length;
    for (const route of ["take", "stop", "done", "ping"] as const) platform.respond(route, undefined);
    platform.queue({ id: "j2", input: 2 });
    await platform.until(() => gate.started.length === 2, "the next job");
    gate.open("j2");
    await bench.results(triesWhileAway + 2);
    expect(triesWhileAway).toBeGreaterThan(3);
    expect(platform.results.at(-2)?.json).toEqual({ output: "j1" });
    expect(platform.results.at(-1)?.json).toEqual({ output: "j2" });
    expect(bench.surface.output).not.toContain("ERROR  | j1");
  });
});

describe("what a take brings", () => {
  it.each([
    ["no input", { id: "bad", other: 1 }, "bad", "Job has missing field(s): id or input."],
    ["a number as id and no input", { id: 17 }, "17", "Job has missing field(s): id or input."],
    [
      "half a character in its id",
      { id: "a\ud800b", input: 1 },
      "a\ufffdb",
      "Job has an id that is not valid Unicode text.",
    ],
  ])("W27: a job with %s gets an error result", async (_name, malformed, id, problem) => {
    const bench = await WorkerBench.open(echo, {}, (platform) => platform.queue(malformed, { id: "good", input: 1 }));
    const results = await bench.results(2);
    expect(results.map((result) => result.id).sort()).toEqual([id, "good"].sort());
    expect(results.find((result) => result.id === id)?.body).toEqual({ error: problem });
    expect(bench.surface.output).toContain(problem);
  });

  it("W27: a whole number as id is an id", async () => {
    const bench = await WorkerBench.open(
      (job) => typeof job.id,
      {},
      (platform) => platform.queue({ id: 17, input: 1 }, { id: 0, input: 1 }),
    );
    expect(await bench.results(2)).toEqual([
      { id: "17", body: { output: "string" } },
      { id: "0", body: { output: "string" } },
    ]);
  });

  it("W27: an id of another kind is named in the log", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.queue({ id: true, input: 1 }, { id: 1.5, input: 1 }, { id: {}, input: 1 }, { id: "good", input: 1 });
    });
    expect(await bench.results(1)).toEqual([{ id: "good", body: { output: 1 } }]);
    for (const type of ["boolean", "number", "object"]) {
      expect(bench.surface.output).toContain(`an id that is neither text nor a whole number (got ${type})`);
    }
  });

  it("W27: an element without an id is logged and does not stop the worker", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.queue({ input: 1 }, { id: null, input: 1 }, { id: "", input: 1 }, { id: "good", input: null });
    });
    expect(await bench.results(1)).toEqual([{ id: "good", body: { output: null } }]);
    expect(bench.surface.output.split("Job has missing field(s): id or input.")).toHaveLength(4);
  });

  it("W28: one free slot asks /job-take/, more ask /job-take-batch/ with their number", async () => {
    const gate = new Gate();
    const bench = await WorkerBench.open(gate.handler, { concurrency: 3 }, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 });
    });
    const { platform } = bench;
    await platform.until(() => platform.of("take").length === 1, "the single take");
    expect(platform.of("take-batch")[0]?.target).toBe(
      "/v2/ep/job-take-batch/pod1?gpu=NVIDIA+L4&batch_size=3&job_in_progress=0",
    );
    expect(platform.of("take")[0]?.target).toBe("/v2/ep/job-take/pod1?gpu=NVIDIA+L4&job_in_progress=1");
    gate.open("j1", "j2");
  });

  it("W29: a batch with malformed elements runs the good ones", async () => {
    const bench = await WorkerBench.open(echo, { concurrency: 4 }, (platform) => {
      platform.queue({ id: "a", input: 1 }, { input: "no id" }, { id: "broken" }, { id: "b", input: 2 });
    });
    const results = await bench.results(3);
    expect(results.map((result) => result.id).sort()).toEqual(["a", "b", "broken"]);
    await bench.platform.until(() => bench.platform.of("take", "take-batch").length > 1, "the next take");
  });

  it("W29: more jobs than were asked for are kept and run one after another", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.respondInTurn("take", [
        ({ response }) => {
          json(
            response,
            [1, 2, 3].map((n) => ({ id: `j${n}`, input: n })),
          );
          return true;
        },
      ]);
    });
    expect((await bench.results(3)).map((result) => result.body)).toEqual([
      { output: 1 },
      { output: 2 },
      { output: 3 },
    ]);
  });

  it("W30: the handler gets the whole job with unknown fields", async () => {
    const job = { id: "j1", input: { a: 1 }, webhook: "https://x", retries: 2, custom: [1, { b: 2 }], status: 5 };
    const bench = await WorkerBench.open(
      (received, context) => ({ received, attempt: context.attempt, worker: context.workerId, id: context.jobId }),
      {},
      (platform) => platform.queue(job),
    );
    const [result] = await bench.results(1);
    expect(result?.body).toEqual({ output: { received: job, attempt: 3, worker: "pod1", id: "j1" } });
  });

  it("W33: the same id delivered twice while it runs is executed once", async () => {
    const gate = new Gate();
    const bench = await WorkerBench.open(gate.handler, { concurrency: 3 }, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j1", input: 1 });
    });
    await bench.platform.until(() => gate.started.length > 0, "the job");
    bench.platform.queue({ id: "j1", input: 1 });
    await bench.platform.until(() => bench.surface.output.split("second copy ignored").length === 3, "two warnings");
    gate.open("j1");
    await bench.results(1);
    await wait(50);
    expect(bench.platform.results).toHaveLength(1);
    expect(gate.started).toEqual(["j1"]);
  });

  it("W33: an id that comes again after its end is a new run", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j1", input: 2 });
    });
    expect((await bench.results(2)).map((result) => result.body)).toEqual([{ output: 1 }, { output: 2 }]);
  });
});

describe("slots", () => {
  it("W31: at concurrency 1 the next take starts within 100 ms of the end of a job", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.queue(...Array.from({ length: 10 }, (_, n) => ({ id: `j${n}`, input: n })));
    });
    await bench.results(10);
    await bench.platform.until(() => bench.platform.of("take").length === 11, "the last take");
    const takes = bench.platform.of("take");
    for (const [index, { atMs }] of bench.platform.results.entries()) {
      expect(takes[index + 1]?.atMs).toBeGreaterThan(atMs);
    }
  });

  it("W32: a held take is ended by the worker after its limit and repeated", async () => {
    expect(DEFAULT_TIMING.pollTimeoutMs).toBe(90_000);
    const events: string[] = [];
    const bench = await WorkerBench.open(echo, { timing: { pollTimeoutMs: 200 } }, (platform) => {
      platform.respond("take", ({ response }) => {
        events.push("taken");
        response.on("close", () => events.push(response.writableEnded ? "answered" : "closed by the worker"));
        return true;
      });
    });
    await bench.platform.until(() => events.length >= 4, "two ended takes");
    expect(events.slice(0, 4)).toEqual(["taken", "closed by the worker", "taken", "closed by the worker"]);
    expect(bench.surface.output).not.toContain("ERROR");
  });

  it("W34: raising the concurrency while a job runs gives further takes at once", async () => {
    const gate = new Gate();
    let wanted = 1;
    const asked: number[] = [];
    const bench = await WorkerBench.open(
      gate.handler,
      {
        concurrency: (current) => {
          asked.push(current);
          return wanted;
        },
      },
      (platform) => platform.queue({ id: "j1", input: 1 }),
    );
    const { platform } = bench;
    await platform.until(() => gate.started.length === 1, "the first job");
    await wait(60);
    expect(platform.of("take", "take-batch")).toHaveLength(1);
    wanted = 3;
    platform.queue({ id: "j2", input: 1 }, { id: "j3", input: 1 });
    await platform.until(() => gate.started.length === 3, "three jobs at once");
    expect(platform.of("take-batch")[0]?.query.get("batch_size")).toBe("2");
    expect(asked[0]).toBe(1);
    gate.open("j1", "j2", "j3");
    await bench.results(3);
  });

  it("W34: lowering it lets running jobs finish and takes no more meanwhile", async () => {
    const gate = new Gate();
    let wanted = 2;
    const bench = await WorkerBench.open(gate.handler, { concurrency: () => wanted }, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 });
    });
    const { platform } = bench;
    await platform.until(() => gate.started.length === 2, "two jobs");
    wanted = 1;
    gate.open("j1");
    await bench.results(1);
    platform.queue({ id: "j3", input: 1 });
    await wait(100);
    expect(gate.started).toEqual(["j1", "j2"]);
    gate.open("j2");
    await platform.until(() => gate.started.length === 3, "the third job");
    gate.open("j3");
  });

  it.each([
    ["0", 0],
    ["NaN", Number.NaN],
    ["undefined", undefined],
    ["-5", -5],
    ["text", "two"],
  ])("W35: a modifier that returns %s does not kill the worker", async (_name, value) => {
    const bench = await WorkerBench.open(echo, { concurrency: () => value as number }, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 2 });
    });
    expect(await bench.results(2)).toHaveLength(2);
  });

  it("W35: a modifier that throws does not kill the worker and is warned of once", async () => {
    const concurrency = (): number => {
      throw new TypeError("no");
    };
    const bench = await WorkerBench.open(echo, { concurrency }, (platform) => {
      platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 2 });
    });
    await bench.results(2);
    expect(bench.surface.output.split("Cannot use the concurrency modifier's answer")).toHaveLength(2);
  });

  it("W83: twenty jobs that take no time are finished in under 3 s at concurrency 1", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.queue(...Array.from({ length: 20 }, (_, n) => ({ id: `j${n}`, input: n })));
    });
    // The SDK takes a second for each, so that the test would be over before they are.
    expect(await bench.results(20)).toHaveLength(20);
  });
});
