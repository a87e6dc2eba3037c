import { decodeAndResample } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { silentLogger } from "../logging/logger.ts";
import { fakeModel, type FakeModel } from "../testing/fake-model.ts";
import { createJobHandler } from "./job-handler.ts";
import type { JobOutput } from "./job-output.ts";
import type { StreamItem } from "./stream-job.ts";

function setUp(model: FakeModel = fakeModel()) {
  const { config } = loadConfig({});
  const handler = createJobHandler({ config, logger: silentLogger, model: async () => model });
  const controller = new AbortController();
  const updates: unknown[] = [];
  const context = {
    signal: controller.signal,
    progress: (data: unknown) => void updates.push(data),
  };
  const run = (input: Record<string, unknown>) =>
    handler({ id: "j1", input: { transcript: "Hello.", seed: 1, ...input } }, context);
  return { run, controller, updates };
}

function streamOf(running: ReturnType<ReturnType<typeof createJobHandler>>): AsyncGenerator<StreamItem, JobOutput> {
  if (running instanceof Promise) throw new Error("the handler does not stream");
  return running;
}

async function collect(stream: AsyncGenerator<StreamItem, JobOutput>) {
  const items: StreamItem[] = [];
  for (;;) {
    const { done, value } = await stream.next();
    if (done === true) return { items, result: value };
    items.push(value);
  }
}

/** Samples of a WAV file of 16-bit PCM. */
function samplesOf(base64: string): Int16Array {
  const file = Buffer.from(base64, "base64");
  expect(file.subarray(0, 4).toString("latin1")).toBe("RIFF");
  return new Int16Array(file.buffer.slice(file.byteOffset + 44, file.byteOffset + file.byteLength));
}

describe("a job with stream", () => {
  it("yields files that are together the whole one, in order and without gaps, then the facts, and returns the output", async () => {
    const { items, result } = await collect(streamOf(setUp().run({ stream: true })));
    const parts = items.flatMap((item) => (item.type === "audio" ? [item] : []));
    expect(parts.map(({ sequence, sample_offset: offset }) => [sequence, offset])).toEqual([
      [0, 0],
      [1, 12_000],
    ]);
    const whole = (await setUp().run({})) as JobOutput;
    const samples = parts.flatMap(({ audio_base64: audio }) => [...samplesOf(audio)]);
    expect(Int16Array.from(samples)).toEqual(samplesOf(whole.audio_base64 ?? ""));
    expect(items.at(-1)).toEqual({ type: "final", sequence: 2, output: { ...result, audio_base64: null } });
    expect(result).toMatchObject({ success: true, sha256: whole.sha256, audio_base64: whole.audio_base64 });
  });

  it("cuts parts that the platform would refuse", async () => {
    // 25 seconds that come at once.
    const model = fakeModel({ frames: 625 });
    const speak = model.speak.bind(model);
    model.speak = async (request, { onAudio, ...options } = {}) => {
      const result = await speak(request, options);
      onAudio?.(result.pcm);
      return { ...result, pcm: new Float32Array(0) };
    };
    const { items } = await collect(streamOf(setUp(model).run({ stream: true })));
    expect(items.map((item) => (item.type === "audio" ? item.samples : item.type))).toEqual([
      240_000,
      240_000,
      120_000,
      "final",
    ]);
    for (const item of items) expect(Buffer.byteLength(JSON.stringify({ output: item }))).toBeLessThan(1_000_000);
  });

  it.each(["mp3", "flac", "opus"])("yields slices of one stream of %s", async (format) => {
    const model = fakeModel({ frames: 75 });
    const { items, result } = await collect(streamOf(setUp(model).run({ stream: true, output_format: format })));
    const parts = items.flatMap((item) => (item.type === "audio" ? [item] : []));
    expect(parts.length).toBeGreaterThan(4);
    expect(new Set(parts.map((part) => part.format))).toEqual(new Set([format]));
    let offset = 0;
    for (const [sequence, part] of parts.entries()) {
      expect(part).toMatchObject({ sequence, sample_offset: offset, sample_rate: result.sample_rate });
      offset += part.samples;
    }
    expect(offset).toBe(3 * result.sample_rate);
    const stream = Buffer.concat(parts.map(({ audio_base64: audio }) => Buffer.from(audio, "base64")));
    const file = Buffer.from(result.audio_base64 ?? "", "base64");
    // What is the same is the end: the front of a stream knows no length.
    expect(stream.subarray(-500)).toEqual(file.subarray(-500));
    const [streamed, whole] = await Promise.all([stream, file].map((bytes) => decodeAndResample(bytes, 24_000)));
    // Nobody told the reader of an MP3 stream how much its decoder is late.
    const late = format === "mp3" ? 1_105 : 0;
    const length = whole?.audio.samples.length ?? 0;
    expect(streamed?.audio.samples.slice(late, late + length)).toEqual(whole?.audio.samples);
  });

  it.each(["pcm", "ulaw"])("yields slices of what the %s file is", async (format) => {
    const { items, result } = await collect(streamOf(setUp().run({ stream: true, output_format: format })));
    const parts = items.flatMap((item) => (item.type === "audio" ? [item.audio_base64] : []));
    const stream = Buffer.concat(parts.map((audio) => Buffer.from(audio, "base64")));
    expect(stream).toEqual(Buffer.from(result.audio_base64 ?? "", "base64"));
  });

  it.each([0.5, 2])("yields WAV files at speed %d that are together the whole one", async (speed) => {
    const model = fakeModel({ frames: 75 });
    const { items } = await collect(streamOf(setUp(model).run({ stream: true, speed })));
    const parts = items.flatMap((item) => (item.type === "audio" ? [item] : []));
    const whole = (await setUp(fakeModel({ frames: 75 })).run({ speed })) as JobOutput;
    const samples = parts.flatMap(({ audio_base64: audio }) => [...samplesOf(audio)]);
    expect(Int16Array.from(samples)).toEqual(samplesOf(whole.audio_base64 ?? ""));
    expect(samples).toHaveLength(72_000 / speed);
  });

  it("yields WAV files at the rate that was asked for", async () => {
    const { items } = await collect(streamOf(setUp().run({ stream: true, sample_rate: 16_000 })));
    const parts = items.flatMap((item) => (item.type === "audio" ? [item] : []));
    const whole = (await setUp().run({ sample_rate: 16_000 })) as JobOutput;
    const samples = parts.flatMap(({ audio_base64: audio }) => [...samplesOf(audio)]);
    expect(Int16Array.from(samples)).toEqual(samplesOf(whole.audio_base64 ?? ""));
    expect(parts.map((part) => part.sample_rate)).toEqual(parts.map(() => 16_000));
  });

  it("fails with the reason, and what it means to clients, when the speech fails", async () => {
    const fail = new HiggsError("GENERATION_FAILED", "make audio", "too quiet");
    await expect(collect(streamOf(setUp(fakeModel({ fail })).run({ stream: true })))).rejects.toMatchObject({
      message: "Cannot make audio: too quiet",
      failure: { code: "GENERATION_FAILED", httpStatus: 500, isRetryable: true },
    });
  });

  it("is not a stream when its input is wrong: the job fails with the reason", async () => {
    const model = fakeModel();
    const result = setUp(model).run({ stream: true, top_k: -1 });
    await expect(result).rejects.toMatchObject({
      message: expect.stringContaining("top_k"),
      failure: { code: "INVALID_INPUT", httpStatus: 400, isRetryable: false },
    });
    expect(model.requests).toEqual([]);
  });

  it("stops the speech when the client disconnects or the job is cancelled", async () => {
    const endless = () => {
      const model = fakeModel({ frames: 5_000, frameMs: 1 });
      const speak = model.speak.bind(model);
      const ended: unknown[] = [];
      model.speak = (request, options = {}) => {
        options.onAudio?.(new Float32Array(960));
        return speak(request, options).catch((error: unknown) => {
          ended.push(error);
          throw error;
        });
      };
      return { model, ended };
    };
    const left = endless();
    for await (const item of streamOf(setUp(left.model).run({ stream: true }))) {
      expect(item.type).toBe("audio");
      break;
    }
    await expect.poll(() => left.ended).toMatchObject([{ code: "CANCELLED" }]);

    const cancelled = endless();
    const { run, controller } = setUp(cancelled.model);
    const stream = streamOf(run({ stream: true }));
    await stream.next();
    controller.abort();
    await expect(collect(stream)).rejects.toMatchObject({ failure: { code: "CANCELLED" } });
  });

  it.each([[false], [true]])("ends when its time is over, and says so (stream %j)", async (stream) => {
    const model = fakeModel({ frames: 5_000, frameMs: 1 });
    const config = loadConfig({}).config;
    const handler = createJobHandler({ config, logger: silentLogger, model: async () => model });
    const controller = new AbortController();
    const context = {
      signal: controller.signal,
      deadlineAtMs: Date.now() + 20,
      progress: () => undefined,
    };
    const running = handler({ id: "j1", input: { transcript: "Hello.", seed: 1, stream } }, context);
    await expect(running instanceof Promise ? running : collect(running)).rejects.toMatchObject({
      message: "Cannot finish the job: its time limit was reached (policy.executionTimeout)",
      failure: { code: "DEADLINE_EXCEEDED", httpStatus: 504, isRetryable: true },
    });
  });
});

describe("a job's input", () => {
  it("is read once, before anything else looks at it", async () => {
    const reads: string[] = [];
    const input = new Proxy<Record<string, unknown>>(
      { transcript: "Hello.", seed: 1, delivery: "base64", output_format: "wav", stream: false },
      {
        get: (target, name) => {
          reads.push(String(name));
          return target[String(name)];
        },
      },
    );
    const { config } = loadConfig({});
    const handler = createJobHandler({ config, logger: silentLogger, model: async () => fakeModel() });
    const context = { signal: AbortSignal.any([]), progress: () => undefined };
    expect(await handler({ id: "j1", input }, context)).toMatchObject({ success: true });
    expect(reads.toSorted()).toEqual(["delivery", "output_format", "seed", "stream", "transcript"]);
  });

  it.each([[null], ["text"], [[]], [{}], [{ stream: true }]])(
    "that is %j is refused with the reason",
    async (input) => {
      const { config } = loadConfig({});
      const handler = createJobHandler({ config, logger: silentLogger, model: async () => fakeModel() });
      const context = { signal: AbortSignal.any([]), progress: () => undefined };
      await expect(handler({ id: "j1", input }, context)).rejects.toMatchObject({ failure: { code: "INVALID_INPUT" } });
    },
  );
});

describe("progress", () => {
  it("says where the job stands, once a second at most", async () => {
    const { run, updates } = setUp(fakeModel({ frames: 50, frameMs: 2 }));
    await run({});
    expect(updates).toEqual([
      {
        chunk: 1,
        chunks: 1,
        audio_seconds: 0.04,
        elapsed_ms: 1,
        remaining_seconds: expect.any(Number),
        uploaded_bytes: 0,
        uploaded_parts: 0,
      },
    ]);
  });
});
