import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Handler } from "../../src/index.ts";
import { status } from "../../src/testing/stub-platform.ts";
import { WorkerBench } from "../../src/testing/worker-bench.ts";

const echo: Handler = (job) => job.input;
const stream: Handler = async function* (job) {
  yield job.input;
};

describe("URLs", () => {
  it("W13: $ID in the take template becomes the worker id and $RUNPOD_POD_ID stays as it is", async () => {
    const bench = await WorkerBench.open(echo, {
      env: ({ origin }) => ({ RUNPOD_WEBHOOK_GET_JOB: `${origin}/v2/ep/job-take/$RUNPOD_POD_ID/$ID?also=$ID` }),
    });
    await bench.platform.until(() => bench.platform.of("take", "stop").length === 2, "both polls");
    expect(bench.platform.of("take")[0]?.target).toBe(
      "/v2/ep/job-take/$RUNPOD_POD_ID/pod1?also=pod1&job_in_progress=0",
    );
    expect(bench.platform.of("stop")[0]?.target).toBe("/v2/ep/job-stop/$RUNPOD_POD_ID/pod1?also=pod1");
  });

  it("W14: in done and stream templates both placeholders are replaced, all occurrences", async () => {
    const bench = await WorkerBench.open(
      stream,
      {
        env: ({ origin }) => ({
          RUNPOD_WEBHOOK_POST_OUTPUT: `${origin}/job-done/$RUNPOD_POD_ID/$ID?w=$RUNPOD_POD_ID&j=$ID`,
          RUNPOD_WEBHOOK_POST_STREAM: `${origin}/job-stream/$RUNPOD_POD_ID/$ID?w=$RUNPOD_POD_ID&j=$ID`,
        }),
      },
      (platform) => platform.queue({ id: "j1", input: "x" }),
    );
    await bench.results(1);
    expect(bench.platform.of("stream")[0]?.target).toBe("/job-stream/pod1/j1?w=pod1&j=j1&isStream=false");
    expect(bench.platform.of("done")[0]?.target).toBe("/job-done/pod1/j1?w=pod1&j=j1&isStream=true");
  });

  it("W15: parameters are appended literally, also when the template has no query", async () => {
    const bench = await WorkerBench.open(
      stream,
      {
        concurrency: 3,
        env: ({ origin }) => ({
          RUNPOD_WEBHOOK_GET_JOB: `${origin}/v2/IDE/job-take/$RUNPOD_POD_ID`,
          RUNPOD_WEBHOOK_POST_OUTPUT: `${origin}/v2/IDE/job-done/$RUNPOD_POD_ID/$ID?gpu=$RUNPOD_GPU_TYPE_ID`,
          RUNPOD_WEBHOOK_POST_STREAM: `${origin}/v2/IDE/job-stream/$RUNPOD_POD_ID/$ID`,
        }),
      },
      (platform) => platform.queue({ id: "j1", input: "x" }),
    );
    await bench.results(1);
    const { platform } = bench;
    expect(platform.of("take-batch")[0]?.target).toBe(
      "/v2/IDE/job-take-batch/$RUNPOD_POD_ID&batch_size=3&job_in_progress=0",
    );
    expect(platform.of("stop")[0]?.target).toBe("/v2/IDE/job-stop/$RUNPOD_POD_ID");
    expect(platform.of("stream")[0]?.target).toBe("/v2/IDE/job-stream/pod1/j1&isStream=false");
    expect(platform.of("done")[0]?.target).toBe("/v2/IDE/job-done/pod1/j1?gpu=$RUNPOD_GPU_TYPE_ID&isStream=true");
  });

  it.each(["a$&b", "$1$`$'", "x-$$-e1"])("W16: the job id %s reaches the URL unchanged", async (id) => {
    const bench = await WorkerBench.open(echo, {}, (platform) => platform.queue({ id, input: 1 }));
    await bench.results(1);
    expect(bench.platform.of("done")[0]?.target).toBe(`/v2/ep/job-done/pod1/${id}?gpu=NVIDIA+L4&isStream=false`);
  });
});

describe("headers", () => {
  it("W17: the raw key is sent on take, stop, done, stream and ping", async () => {
    const bench = await WorkerBench.open(stream, {}, (platform) => platform.queue({ id: "j1", input: "x" }));
    await bench.results(1);
    await bench.platform.until(() => bench.platform.of("ping", "stop").length >= 2, "ping and stop");
    const keys = bench.platform.requests.map(({ route, headers }) => `${route}: ${headers["authorization"]}`);
    expect(new Set(keys)).toEqual(
      new Set(["take", "stop", "done", "stream", "ping"].map((route) => `${route}: secret-api-key`)),
    );
  });

  it("W18: posts carry the form content type, the job's id, and JSON in UTF-8 without escapes", async () => {
    const handler: Handler = async function* (_job, context) {
      context.progress("größer");
      await wait(20);
      yield "größe 😀";
    };
    const bench = await WorkerBench.open(handler, { returnAggregateStream: true }, (platform) => {
      platform.queue({ id: "j1", input: 1 });
    });
    await bench.results(1);
    const posts = bench.platform.of("done", "stream");
    expect(posts).toHaveLength(3);
    for (const post of posts) {
      expect(post.headers).toMatchObject({
        "content-type": "application/x-www-form-urlencoded",
        charset: "utf-8",
        "x-request-id": "j1",
        "user-agent": expect.stringMatching(/^RunPod-TS-Worker\/\S+ \(\S+ \S+; \S+\) Language\/Node \d+/),
      });
      expect(Number(post.headers["content-length"])).toBe(Buffer.byteLength(post.body));
    }
    expect(bench.platform.of("stream")[0]?.body).toBe('{"output":"größe 😀"}');
    expect(bench.platform.results[0]?.body).toBe('{"output":["größe 😀"]}');
  });

  it("W19: each post has its own job's X-Request-ID, also when it is retried", async () => {
    const bench = await WorkerBench.open(echo, { concurrency: 2 }, (platform) => {
      platform.respondInTurn("done", [status(500), status(500), status(500), status(500)]);
      platform.queue({ id: "j1", input: "one" }, { id: "j2", input: "two" });
    });
    await bench.results(6);
    for (const { headers, path, body } of bench.platform.results) {
      const id = path.split("/").at(-1);
      expect(headers["x-request-id"]).toBe(id);
      expect(body).toBe(id === "j1" ? '{"output":"one"}' : '{"output":"two"}');
    }
  });

  it("W20: polls carry no X-Request-ID, before and after posts", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => platform.queue({ id: "j1", input: 1 }));
    await bench.results(1);
    await bench.platform.until(() => bench.platform.of("take").length === 2, "the take after the job");
    const polls = bench.platform.of("take", "stop");
    for (const { headers } of polls) {
      expect(headers["x-request-id"]).toBeUndefined();
      expect(headers["content-type"]).toBe("application/json");
    }
  });

  it("sends an empty Authorization without a key", async () => {
    const bench = await WorkerBench.open(echo, { env: { RUNPOD_AI_API_KEY: undefined } });
    await bench.platform.until(() => bench.platform.of("take").length === 1, "a take");
    expect(bench.platform.of("take")[0]?.headers["authorization"]).toBe("");
  });

  it("follows a redirect of a post with its body", async () => {
    const bench = await WorkerBench.open(echo, {}, (platform) => {
      platform.respondInTurn("done", [(request) => status(302, { Location: `${request.target}&again=1` })(request)]);
      platform.queue({ id: "j1", input: "x" });
    });
    await bench.results(2);
    const [, second] = bench.platform.results;
    expect([second?.method, second?.query.get("again"), second?.body]).toEqual(["POST", "1", '{"output":"x"}']);
  });
});
