import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Handler, JobError } from "../../src/index.ts";
import { reset, type Responder, status } from "../../src/testing/stub-platform.ts";
import { type BenchOptions, WorkerBench } from "../../src/testing/worker-bench.ts";

function open(handler: Handler, options?: BenchOptions): Promise<WorkerBench> {
  return WorkerBench.open(handler, options, (platform) => platform.queue({ id: "j1", input: {} }));
}

/** Runs one job with this handler and returns the body of its final post. */
async function bodyOf(handler: Handler, options?: BenchOptions): Promise<unknown> {
  const [result] = await (await open(handler, options)).results(1);
  return result?.body;
}

/** Runs one job while job-done answers with these first, and returns the bodies of all posts. */
async function bodiesAfter(responders: readonly Responder[], handler: Handler = () => ({ a: 1 })): Promise<string[]> {
  const bench = await WorkerBench.open(handler, {}, (platform) => {
    platform.respondInTurn("done", responders);
    platform.queue({ id: "j1", input: {} });
  });
  await bench.platform.until(() => bench.surface.output.includes("Finished."), "the end of the job");
  return bench.platform.results.map((post) => post.body);
}

describe("work after the result", () => {
  it("is done when the platform has the result, in order; one that fails is logged and stops none", async () => {
    const bench = await WorkerBench.open(
      (_job, { whenAnswered }) => {
        whenAnswered(async () => {
          await wait(1);
          seen.push(`first, ${bench.platform.results.length} posted`);
          throw new Error("no more room");
        });
        whenAnswered(() => seen.push("second"));
        return {};
      },
      {},
      (platform) => platform.queue({ id: "j1", input: {} }),
    );
    const seen: string[] = [];
    await bench.platform.until(() => bench.surface.output.includes("Finished."), "the end of the job");
    expect(seen).toEqual(["first, 1 posted", "second"]);
    expect(bench.surface.output).toContain("Work after the result failed. | no more room");
  });

  it("is never done when the result is lost", async () => {
    const seen: string[] = [];
    const bench = await WorkerBench.open(
      (_job, { whenAnswered }) => {
        whenAnswered(() => seen.push("done"));
        return {};
      },
      { timing: { resultBudgetMs: 20 } },
      (platform) => {
        platform.respondInTurn("done", Array(50).fill(status(503)));
        platform.queue({ id: "j1", input: {} });
      },
    );
    await bench.platform.until(() => bench.surface.output.includes("Failed to return job results. | HTTP"), "the loss");
    await bench.platform.until(() => bench.surface.output.includes("Finished."), "the end of the job");
    expect(seen).toEqual([]);
  });
});

describe("result bodies", () => {
  it.each([
    [{ a: 1, b: { c: [1] } }, { output: { a: 1, b: { c: [1] } } }],
    ["text", { output: "text" }],
    [3.5, { output: 3.5 }],
    [0, { output: 0 }],
    [true, { output: true }],
    [false, { output: false }],
    [[1, "a", null], { output: [1, "a", null] }],
    [[], { output: [] }],
    [null, { output: null }],
  ])("W36: a handler that returns %j makes the body of the table", async (returned, body) => {
    expect(await bodyOf(() => returned)).toEqual(body);
  });

  it("W36: a promise counts by what it resolves to", async () => {
    expect(await bodyOf(async () => ({ a: 1 }))).toEqual({ output: { a: 1 } });
  });

  it("W37: an empty object makes an empty body, undefined makes null", async () => {
    expect(await bodyOf(() => ({}))).toEqual({});
    expect(await bodyOf(() => undefined)).toEqual({ output: null });
  });

  it("W38: a truthy error is posted with the rest of the object", async () => {
    expect(await bodyOf(() => ({ x: 1, error: "bad" }))).toEqual({ output: { x: 1 }, error: "bad" });
    expect(await bodyOf(() => ({ error: "bad" }))).toEqual({ error: "bad" });
  });

  it.each([[""], [0], [null], [false], [[]], [{}]])(
    "W39: the error %j is dropped and the job succeeds",
    async (error) => {
      expect(await bodyOf(() => ({ x: 1, error }))).toEqual({ output: { x: 1 } });
    },
  );

  it.each([
    [{ code: 5 }, '{"code":5}'],
    [["a", "b"], '["a","b"]'],
    [7, "7"],
    [true, "true"],
    [new Error("broken"), "broken"],
  ])("W40: the error %j reaches the wire as a string", async (error, text) => {
    expect(await bodyOf(() => ({ error }))).toEqual({ error: text });
  });

  it("W41: a throw makes an error of JSON text with the six keys in order", async () => {
    class ModelError extends Error {}
    const handler: Handler = () => {
      throw new ModelError("boöm", { cause: new Error("root cause") });
    };
    const { error } = (await bodyOf(handler, { env: { RUNPOD_POD_HOSTNAME: "host-1" } })) as { error: string };
    expect(error).toMatch(/^[ -~]*$/);
    const info = JSON.parse(error) as Record<string, string>;
    expect(Object.entries(info)).toEqual([
      ["error_type", "ModelError"],
      ["error_message", "boöm"],
      ["error_traceback", expect.stringMatching(/^Error: boöm\n {4}at [^]*Caused by: Error: root cause/)],
      ["hostname", "host-1"],
      ["worker_id", "pod1"],
      ["runpod_version", expect.stringMatching(/^1\.12\.0\+ts\./)],
    ]);
  });

  it("W41: hostname and worker id are unknown when unset, and anything may be thrown", async () => {
    const handler: Handler = () => Promise.reject({ code: 5 });
    const { error } = (await bodyOf(handler, { env: { RUNPOD_POD_ID: undefined } })) as { error: string };
    expect(JSON.parse(error)).toMatchObject({
      error_type: "object",
      error_message: '{"code":5}',
      hostname: "unknown",
      worker_id: "unknown",
    });
  });

  it("W41: the whole text stays below 32 KiB", async () => {
    const handler: Handler = () => {
      const error = new Error("ü".repeat(100_000));
      throw error;
    };
    const { error } = (await bodyOf(handler)) as { error: string };
    expect(error.length).toBeLessThanOrEqual(32 * 1024);
    expect(Object.keys(JSON.parse(error) as object)).toHaveLength(6);
  });

  it.each([
    ["throws", (value: unknown) => Promise.reject(value)],
    ["returns as its error", (error: unknown) => ({ error })],
    ["returns as its output", (value: unknown) => ({ value })],
    ["returns", (value: unknown) => value],
  ])("W41: nothing that a handler %s ends the worker, however hostile it is", async (_name, end) => {
    const refuse = (): never => {
      throw new Error("no");
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const hostile: readonly unknown[] = [
      Object.defineProperty(new Error("x"), "message", { get: refuse, enumerable: true }),
      new Proxy(new Error("x"), { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse }),
      new Proxy(new JobError("x"), { get: refuse }),
      Object.defineProperty(new JobError("x"), "refreshWorker", { get: refuse }),
      { toString: refuse, toJSON: refuse },
      Object.create(null),
      proxy,
      Symbol("s"),
    ];
    const handler: Handler = (job) => end(hostile[Number(job.input)]);
    const bench = await WorkerBench.open(handler, {}, (platform) => {
      platform.queue(...hostile.map((_, input) => ({ id: `j${input}`, input })));
    });
    expect(await bench.results(hostile.length)).toHaveLength(hostile.length);
    expect(bench.surface.exitCodes).toEqual([]);
  });

  it("W48: the returned object is not changed", async () => {
    const shared = Object.freeze({ z: 1, error: "again", refresh_worker: false });
    const bench = await WorkerBench.open(
      () => shared,
      {},
      (platform) => {
        platform.queue({ id: "j1", input: 1 }, { id: "j2", input: 1 });
      },
    );
    const bodies = (await bench.results(2)).map((result) => result.body);
    expect(bodies).toEqual([
      { output: { z: 1 }, error: "again" },
      { output: { z: 1 }, error: "again" },
    ]);
  });
});

describe("delivery of results", () => {
  it("W42: 500, 500, 200 delivers, with the same body each time", async () => {
    const bodies = await bodiesAfter([status(500), status(500)]);
    expect(bodies).toEqual(['{"output":{"a":1}}', '{"output":{"a":1}}', '{"output":{"a":1}}']);
  });

  it.each(["http://[", "http://a:99999/", "ftp://elsewhere/"])(
    "W43: a redirect to %s, then success, is delivered",
    async (location) => {
      const bodies = await bodiesAfter([status(307, { Location: location })]);
      expect(bodies).toEqual(['{"output":{"a":1}}', '{"output":{"a":1}}']);
    },
  );

  it("W43: a connection that is reset, then success, delivers", async () => {
    const bodies = await bodiesAfter([reset, reset, reset]);
    expect(bodies.length).toBeGreaterThanOrEqual(4);
    expect(new Set(bodies)).toEqual(new Set(['{"output":{"a":1}}']));
  });

  it("W43: an answer whose body breaks off is an answer: the result is not posted twice", async () => {
    const bodies = await bodiesAfter([
      ({ response }) => {
        response.writeHead(200, { "Content-Length": "100" });
        response.write("half");
        setTimeout(() => response.destroy(), 20);
        return true;
      },
    ]);
    expect(bodies).toHaveLength(1);
  });

  it.each([408, 425, 429, 502, 503, 504])("W44: HTTP %i, then 200, delivers", async (code) => {
    expect(await bodiesAfter([status(code)])).toHaveLength(2);
  });

  it("W44: Retry-After is obeyed", async () => {
    const bench = await WorkerBench.open(
      () => 1,
      {},
      (platform) => {
        platform.respondInTurn("done", [status(429, { "Retry-After": "1" })]);
        platform.queue({ id: "j1", input: {} });
      },
    );
    await bench.results(2);
    const [first, second] = bench.platform.results;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it.each([400, 413])(
    "W45: HTTP %i for a result of 25 MB is followed by a short error that names size and limit",
    async (code) => {
      const bodies = await bodiesAfter([status(code)], () => ({ data: "x".repeat(25_000_000) }));
      expect(bodies).toHaveLength(2);
      expect(bodies[0]?.length).toBeGreaterThan(25_000_000);
      const { error } = JSON.parse(bodies[1] ?? "") as { error: string };
      expect(error).toContain(`HTTP ${code}`);
      expect(error).toContain("got 25000022 bytes");
      expect(error).toContain("20000000 bytes for /runsync");
    },
  );

  it("W45: a large result whose connection is always broken ends in the short error too", async () => {
    const bench = await WorkerBench.open(
      () => ({ data: "x".repeat(21_000_000) }),
      { timing: { largeResultBudgetMs: 300 } },
      (platform) => {
        platform.respond("done", (request) => request.body.length > 1_000_000 && reset(request));
        platform.queue({ id: "j1", input: {} });
      },
    );
    await bench.platform.until(() => bench.surface.output.includes("Finished."), "the end of the job");
    expect(bench.platform.results.at(-1)?.body).toMatch(/^\{"error":".*got 21000022 bytes/);
  });

  it("W45: a substitute that is refused too is the end of it", async () => {
    expect(await bodiesAfter([status(400), status(400)])).toHaveLength(2);
  });

  it.each([
    ["BigInt", { n: 1n }, "output.n is a BigInt"],
    ["Map", { list: [new Map([[1, 2]])] }, "output.list[0] is a Map"],
    ["a returned Map", new Map([[1, 2]]), "output is a Map"],
    ["Set", { s: new Set([1]) }, "output.s is a Set"],
    ["typed array", { audio: new Float32Array(4) }, "output.audio is binary data"],
    ["a returned typed array", new Uint8Array(4), "output is binary data"],
    ["Buffer", { audio: Buffer.from("abc") }, "output.audio is binary data"],
    ["NaN", { deep: { n: Number.NaN } }, "output.deep.n is NaN"],
    ["Infinity", [1, Number.POSITIVE_INFINITY], "output[1] is Infinity"],
    ["function", { f: () => 1 }, "output.f is a function"],
    ["undefined in a list", [undefined], "output[0] is undefined inside a list"],
    ["Error", { e: new Error("x") }, "output.e is an Error"],
  ])("W46: %s in the result makes an error result that names the place", async (_name, returned, message) => {
    const { error } = (await bodyOf(() => returned)) as { error: string };
    expect(error).toContain(`Cannot write the result as JSON: ${message}`);
  });

  it("W46: a cycle makes an error result", async () => {
    const handler: Handler = () => {
      const node: Record<string, unknown> = { name: "node" };
      node["child"] = { parent: node };
      return node;
    };
    const { error } = (await bodyOf(handler)) as { error: string };
    expect(error).toMatch(
      /^Cannot write the result as JSON: output\.child\.parent\S* is an object that contains itself$/,
    );
  });

  it("W46: dates, absent properties and repeated objects are accepted", async () => {
    const shared = { a: 1 };
    const returned = { at: new Date(0), left: shared, right: shared, absent: undefined };
    expect(await bodyOf(() => returned)).toEqual({
      output: { at: "1970-01-01T00:00:00.000Z", left: shared, right: shared },
    });
  });

  it("W47: while a result is retried, pings carry the job's id", async () => {
    const bench = await WorkerBench.open(
      // The heartbeat's thread must have started, which is slow on a busy machine.
      () => bench.platform.until(() => bench.platform.of("ping").length > 0, "the first ping").then(() => 1),
      { timing: { postBackOffMs: 3_000, postBackOffMaxMs: 3_000 }, env: { RUNPOD_PING_INTERVAL: "1000" } },
      (platform) => {
        platform.respondInTurn("done", [status(503)]);
      },
    );
    bench.platform.queue({ id: "j1", input: {} });
    await bench.results(2);
    const [first, second] = bench.platform.results;
    const between = bench.platform
      .of("ping")
      .filter((ping) => ping.atMs > (first?.atMs ?? 0) && ping.atMs < (second?.atMs ?? 0));
    expect(between.length).toBeGreaterThanOrEqual(2);
    expect(between.map((ping) => ping.query.get("job_id"))).toEqual(between.map(() => "j1"));
  });

  it.each([404, 410])("drops a result with a warning when the job is gone (HTTP %i)", async (code) => {
    const bench = await WorkerBench.open(
      () => 1,
      {},
      (platform) => {
        platform.respond("done", status(code));
        platform.queue({ id: "j1", input: {} }, { id: "j2", input: {} });
      },
    );
    await bench.platform.until(() => bench.surface.output.split("Finished.").length > 2, "both jobs");
    expect(bench.platform.results).toHaveLength(2);
    expect(bench.surface.output).toContain(`WARN   | j1 | The platform no longer knows this job (HTTP ${code})`);
  });

  it("W49: exactly one final post per job, no matter what the handler does", async () => {
    const handler: Handler<{ kind: string }> = async function* (job) {
      yield job.input.kind;
    };
    const kinds: Readonly<Record<string, Handler>> = {
      value: () => 1,
      throws: () => {
        throw new JobError("no");
      },
      rejects: async () => {
        await wait(1);
        throw new JobError("no");
      },
      unserializable: () => 1n,
      stream: handler as Handler,
      progress: (_job, context) => context.progress("half"),
      error: () => ({ error: "no" }),
    };
    const names = Object.keys(kinds);
    const bench = await WorkerBench.open(
      (job, context) => kinds[job.id]?.(job, context),
      { concurrency: 3 },
      (platform) => platform.queue(...names.map((id) => ({ id, input: { kind: id } }))),
    );
    await bench.results(names.length);
    await wait(100);
    expect((await bench.results(names.length)).map((result) => result.id).sort()).toEqual(names.sort());
  });
});
