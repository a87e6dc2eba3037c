import { Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Handler } from "../../src/index.ts";
import { json, reset, status, type StubPlatform } from "../../src/testing/stub-platform.ts";
import { type BenchOptions, WorkerBench } from "../../src/testing/worker-bench.ts";

const STREAM_TARGET = "/v2/ep/job-stream/pod1/j1?gpu=NVIDIA+L4&isStream=false";
const CLOSE_TARGET = "/v2/ep/job-done/pod1/j1?gpu=NVIDIA+L4&isStream=true";

function yielding(...chunks: readonly unknown[]): Handler {
  return async function* () {
    yield* chunks;
  };
}

/** Runs one job and waits for its closing post. */
async function run(
  handler: Handler,
  options: BenchOptions = {},
  prepare: (platform: StubPlatform) => void = () => {},
): Promise<WorkerBench> {
  const bench = await WorkerBench.open(handler, options, (platform) => {
    prepare(platform);
    platform.queue({ id: "j1", input: {} });
  });
  await bench.platform.until(() => bench.surface.output.includes("Finished."), "the end of the job");
  return bench;
}

function chunksOf({ platform }: WorkerBench): readonly unknown[] {
  return platform.of("stream").map((post) => (post.json as { output: unknown }).output);
}

function closingOf({ platform }: WorkerBench): unknown {
  expect(platform.results).toHaveLength(1);
  return platform.results[0]?.json;
}

describe("streams", () => {
  it("W50: chunks are posted in order to the stream URL", async () => {
    const chunks = ["a", { n: 1 }, [1, 2], 5, null, "b", "c", { refresh_worker: true }];
    const bench = await run(yielding(...chunks));
    const posts = bench.platform.of("stream");
    expect(posts.map((post) => post.target)).toEqual(chunks.map(() => STREAM_TARGET));
    expect(posts.map((post) => post.json)).toEqual(chunks.map((output) => ({ output })));
    expect(bench.platform.requests.filter((request) => request.method === "POST").at(-1)?.route).toBe("done");
  });

  it("W50: one post follows another only when that is answered", async () => {
    let open = 0;
    let most = 0;
    await run(yielding(...Array.from({ length: 20 }, (_, n) => n)), {}, (platform) => {
      platform.respond("stream", async ({ response }) => {
        most = Math.max(most, (open += 1));
        await wait(5);
        open -= 1;
        json(response, {});
        return true;
      });
    });
    expect(most).toBe(1);
  });

  it("W51: the closing post has isStream=true and an empty list, or the whole one with aggregation", async () => {
    const plain = await run(yielding(1, "two"));
    expect(plain.platform.results[0]?.target).toBe(CLOSE_TARGET);
    expect(closingOf(plain)).toEqual({ output: [] });
    const aggregating = await run(yielding(1, "two"), { returnAggregateStream: true });
    expect(aggregating.platform.results[0]?.target).toBe(CLOSE_TARGET);
    expect(closingOf(aggregating)).toEqual({ output: [1, "two"] });
  });

  it.each([true, false])(
    "a value that the generator returns is the result (aggregation %j)",
    async (returnAggregateStream) => {
      const handler: Handler = async function* () {
        yield "a";
        return { whole: "a" };
      };
      const bench = await run(handler, { returnAggregateStream });
      expect(chunksOf(bench)).toEqual(["a"]);
      expect(closingOf(bench)).toEqual({ output: { whole: "a" } });
    },
  );

  it("a returned error fails the job", async () => {
    const handler: Handler = function* () {
      yield "a";
      return { error: "no more" };
    };
    expect(closingOf(await run(handler))).toEqual({ error: "no more" });
  });

  it.each([true, false])("W52: a yielded error ends the stream (aggregation %j)", async (returnAggregateStream) => {
    let isCleanedUp = false;
    const handler: Handler = async function* () {
      try {
        yield 1;
        yield { error: { code: 7 } };
        yield 3;
      } finally {
        isCleanedUp = true;
      }
    };
    const bench = await run(handler, { returnAggregateStream });
    expect(chunksOf(bench)).toEqual([1]);
    expect(closingOf(bench)).toEqual({ error: '{"code":7}' });
    expect(bench.platform.results[0]?.target).toBe(CLOSE_TARGET);
    expect(isCleanedUp).toBe(true);
  });

  it("W53: a throw in the middle: chunks so far were streamed and the closing post has the error", async () => {
    const handler: Handler = async function* () {
      yield "one";
      yield "two";
      throw new TypeError("engine lost");
    };
    const bench = await run(handler);
    expect(chunksOf(bench)).toEqual(["one", "two"]);
    const { error, ...rest } = closingOf(bench) as { error: string };
    expect(error).toMatch(/^handler: engine lost \ntraceback: TypeError: engine lost\n {4}at /);
    expect(rest).toEqual({});
  });

  it("W54: anything that returns an iterator is streamed", async () => {
    const generator = yielding(1, 2);
    const handlers: readonly Handler[] = [
      (job, context) => generator(job, context),
      async (job, context) => generator(job, context),
      function* () {
        yield* [1, 2];
      },
      () => Readable.from([1, 2]),
      () => ({ [Symbol.iterator]: () => [1, 2].values() }),
    ];
    for (const handler of handlers) {
      const bench = await run(handler);
      expect(chunksOf(bench)).toEqual([1, 2]);
      expect(closingOf(bench)).toEqual({ output: [] });
    }
  });

  it("W55: without a stream URL the job finishes, complete with aggregation", async () => {
    const env = { RUNPOD_WEBHOOK_POST_STREAM: undefined };
    expect(closingOf(await run(yielding(1, 2), { env }))).toEqual({ output: [] });
    const bench = await run(yielding(1, 2), { env, returnAggregateStream: true });
    expect(closingOf(bench)).toEqual({ output: [1, 2] });
    expect(bench.platform.of("stream")).toEqual([]);
    expect(bench.surface.output.split("RUNPOD_WEBHOOK_POST_STREAM is not set")).toHaveLength(2);
  });

  it("W55: the name of the sample environment works too", async () => {
    const bench = await run(yielding(1), {
      env: ({ origin }) => ({
        RUNPOD_WEBHOOK_POST_STREAM: undefined,
        RUNPOD_WEBHOOK_JOB_STREAM: `${origin}/job-stream/$RUNPOD_POD_ID/$ID?x=1`,
      }),
    });
    expect(chunksOf(bench)).toEqual([1]);
  });

  it("W56: a text above 1 MB is split, no post is larger, and nothing is lost", async () => {
    const text = `${"ä😀\n".repeat(500_000)}end`;
    const bench = await run(yielding("before", text, "after"));
    const posts = bench.platform.of("stream");
    for (const post of posts) expect(Buffer.byteLength(post.body)).toBeLessThanOrEqual(1_000_000);
    const chunks = chunksOf(bench);
    expect(chunks[0]).toBe("before");
    expect(chunks.at(-1)).toBe("after");
    expect(chunks.slice(1, -1).join("") === text).toBe(true);
    expect(closingOf(bench)).toEqual({ output: [] });
  });

  it("W56: an object above 1 MB fails the job, or is left to the final list with aggregation", async () => {
    const large = { audio: "x".repeat(1_100_000) };
    const plain = await run(yielding(1, large, 2));
    expect(chunksOf(plain)).toEqual([1]);
    expect(closingOf(plain)).toEqual({
      error: "Cannot stream the output: a chunk is too large to post (got 1100023 bytes, limit 1000000 bytes)",
    });
    const aggregating = await run(yielding(1, large, 2), { returnAggregateStream: true });
    expect(chunksOf(aggregating)).toEqual([1]);
    expect(closingOf(aggregating)).toEqual({ output: [1, large, 2] });
  });

  it("retries a chunk and keeps the order", async () => {
    const bench = await run(yielding("a", "b", "c"), {}, (platform) => {
      platform.respondInTurn("stream", [status(503), reset, status(429)]);
    });
    expect(closingOf(bench)).toEqual({ output: [] });
    const delivered = chunksOf(bench).filter((chunk, index, all) => chunk !== all[index + 1]);
    expect(delivered).toEqual(["a", "b", "c"]);
  });

  /** The first wait is longer than all the time that there is. */
  const HOPELESS = { chunkBudgetMs: 600_000, postBackOffMs: 7_200_000, postBackOffMaxMs: 7_200_000 };

  it("a chunk that is lost for good fails the job instead of leaving a gap", async () => {
    const bench = await run(yielding("a", "b", "c"), { timing: HOPELESS }, (platform) => {
      platform.respond("stream", status(500));
    });
    expect(closingOf(bench)).toEqual({ error: "Cannot stream the output: HTTP 500" });
    expect(new Set(chunksOf(bench))).toEqual(new Set(["a"]));
  });

  it("a chunk that is not JSON fails the job", async () => {
    const bench = await run(yielding("a", { n: 1n }, "c"), { returnAggregateStream: true });
    expect(closingOf(bench)).toEqual({ error: "Cannot write the result as JSON: n is a BigInt" });
  });

  it("joins server-sent events that come faster than they can be posted, and nothing else", async () => {
    const events = Array.from({ length: 200 }, (_, n) => `data: {"n":${n}}\n\n`);
    const bench = await run(yielding(...events, "plain", "text"));
    const chunks = chunksOf(bench) as string[];
    expect(chunks.length).toBeLessThan(20);
    expect(chunks[0]).toBe(events[0]);
    expect(chunks.slice(-2)).toEqual(["plain", "text"]);
    expect(chunks.slice(0, -2).join("")).toBe(events.join(""));
  });

  it("joins all texts when asked to, and none when told so", async () => {
    const words = Array.from({ length: 50 }, (_, n) => `w${n} `);
    const joined = chunksOf(await run(yielding(...words), { stream: { coalesce: "text" } })) as string[];
    expect(joined.length).toBeLessThan(10);
    expect(joined.join("")).toBe(words.join(""));
    const events = ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"];
    expect(chunksOf(await run(yielding(...events), { stream: { coalesce: "off" } }))).toEqual(events);
  });

  it("slows a generator down that is faster than the posts", async () => {
    let made = 0;
    let madeAtFirstPost = Number.NaN;
    const handler: Handler = async function* () {
      for (; made < 500; made += 1) yield { n: made };
    };
    await run(handler, {}, (platform) => {
      platform.respond("stream", async ({ response }) => {
        await wait(1);
        if (Number.isNaN(madeAtFirstPost)) madeAtFirstPost = made;
        json(response, {});
        return true;
      });
    });
    expect(madeAtFirstPost).toBeLessThan(50);
    expect(made).toBe(500);
  });
});

describe("progress", () => {
  it("W57: an update goes to the job-done URL with its status", async () => {
    const bench = await run(async (_job, context) => {
      context.progress({ done: "½" });
      await wait(50);
      return "end";
    });
    const [update, result] = bench.platform.of("done");
    expect(update?.target).toBe("/v2/ep/job-done/pod1/j1?gpu=NVIDIA+L4&isStream=false");
    expect(update?.body).toBe('{"status":"IN_PROGRESS","output":{"done":"½"}}');
    expect(update?.headers["x-request-id"]).toBe("j1");
    expect(result?.json).toEqual({ output: "end" });
  });

  it("W58: after 100 updates and a return at once, none arrives after the result, with a slow server too", async () => {
    const bench = await run(
      (_job, context) => {
        for (let n = 0; n < 100; n += 1) context.progress(n);
        return "end";
      },
      {},
      (platform) => {
        platform.respond("done", async ({ response }) => {
          await wait(200);
          json(response, {});
          return true;
        });
      },
    );
    await wait(300);
    const posts = bench.platform.of("done");
    expect(posts.at(-1)?.json).toEqual({ output: "end" });
    expect(posts.length).toBeLessThanOrEqual(2);
    expect(bench.platform.results).toHaveLength(1);
  });

  it("W58: only the newest unsent update is kept, in order", async () => {
    const bench = await run(
      async (_job, context) => {
        for (let n = 0; n < 30; n += 1) {
          context.progress(n);
          await wait(5);
        }
        await wait(100);
        return "end";
      },
      {},
      (platform) => {
        platform.respond("done", async ({ response }) => {
          await wait(30);
          json(response, {});
          return true;
        });
      },
    );
    const updates = bench.platform.of("done").slice(0, -1);
    const values = updates.map((post) => (post.json as { output: number }).output);
    expect(values.at(-1)).toBe(29);
    expect(values.length).toBeLessThan(15);
    expect(values).toEqual([...values].sort((left, right) => left - right));
  });

  it("an update that is not JSON does not harm the job", async () => {
    const bench = await run((_job, context) => {
      context.progress({ n: 1n });
      return "end";
    });
    expect(closingOf(bench)).toEqual({ output: "end" });
    expect(bench.surface.output).toContain("WARN   | j1 | Cannot send progress");
  });
});
