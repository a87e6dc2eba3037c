import { HiggsError } from "@higgs-worker/base";
import { afterEach, describe, expect, it } from "vitest";
import { fakeModel } from "../../testing/fake-model.ts";
import { closeServedDoors, serveDoors } from "../../testing/served-doors.ts";

afterEach(closeServedDoors);

const SPEECH = "/v1/audio/speech";
// A voice in words costs no decoding.
const HELLO = { model: "tts-1", input: "The sun is warm.", voice: "profile:male_en" };

interface Envelope {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

function eventsOf(text: string): Record<string, unknown>[] {
  const events = text.split("\n\n").filter((event) => event !== "");
  return events.map((event) => JSON.parse(event.replace(/^data: /, "")) as Record<string, unknown>);
}

describe("POST /v1/audio/speech", () => {
  it("streams the audio while it is made, as one stream of the format that was asked for", async () => {
    const { post } = await serveDoors({ model: fakeModel({ isLive: true, frames: 50 }) });
    const [pcm, wav] = await Promise.all(
      ["pcm", "wav"].map(async (format) => {
        const response = await post(SPEECH, { ...HELLO, seed: 5, response_format: format });
        expect(response.status).toBe(200);
        expect(response.headers.get("transfer-encoding")).toBe("chunked");
        expect(response.headers.get("x-higgs-seed")).toBe("5");
        return { type: response.headers.get("content-type"), bytes: Buffer.from(await response.arrayBuffer()) };
      }),
    );
    expect([pcm?.type, wav?.type]).toEqual(["audio/pcm", "audio/wav"]);
    expect(pcm?.bytes.length).toBe(50 * 960 * 2);
    // The length is not known when the header is sent: both sizes say so in the way that all readers understand.
    expect(wav?.bytes.subarray(0, 44).toString("hex")).toBe(
      "52494646ffffffff57415645666d74201000000001000100c05d000080bb00000200100064617461ffffffff",
    );
    expect(wav?.bytes.subarray(44)).toEqual(pcm?.bytes);
  });

  it("gives the first audio long before the last is made", async () => {
    const { post } = await serveDoors({ model: fakeModel({ isLive: true, frames: 5000, frameMs: 1 }) });
    const response = await post(SPEECH, { ...HELLO, response_format: "pcm" });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(first?.value?.length).toBeGreaterThan(0);
    await reader?.cancel();
  });

  it("fails with an answer when the speech fails with its first bytes, and breaks the connection behind later ones", async () => {
    const failAtEnd = new HiggsError("AUDIO_TRUNCATED", "speak", "the audio reached its limit");
    const early = await serveDoors({ model: fakeModel({ isLive: true, frames: 1, failAtEnd }) });
    for (let index = 0; index < 5; index++) {
      const response = await early.post(SPEECH, { ...HELLO, response_format: "pcm" });
      expect(response.status).toBe(422);
      expect(((await response.json()) as Envelope).error.code).toBe("AUDIO_TRUNCATED");
    }
    const late = await serveDoors({ model: fakeModel({ isLive: true, frames: 100, failAtEnd }) });
    const response = await late.post(SPEECH, { ...HELLO, response_format: "pcm" });
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow("terminated");
  });

  it("is a whole file with its length when the client says stream: false", async () => {
    const { post } = await serveDoors();
    const response = await post(SPEECH, { ...HELLO, response_format: "wav", stream: false });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(Number(response.headers.get("content-length"))).toBe(bytes.length);
    expect(bytes.readUInt32LE(40)).toBe(bytes.length - 44);
  });

  it("as server-sent events: parts of one stream, then the usage", async () => {
    const { post } = await serveDoors({ model: fakeModel({ isLive: true, frames: 10 }) });
    const response = await post(SPEECH, { ...HELLO, response_format: "pcm", stream_format: "sse" });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = eventsOf(await response.text());
    const done = events.pop();
    expect(done).toEqual({
      type: "speech.audio.done",
      usage: { input_tokens: 43, output_tokens: 10, total_tokens: 53 },
    });
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["speech.audio.delta"]));
    const audio = Buffer.concat(events.map((event) => Buffer.from(String(event["audio"]), "base64")));
    expect(audio.length).toBe(10 * 960 * 2);
  });

  it("takes what clients send besides, OpenAI's instructions as the scene, and the fields of a job", async () => {
    const model = fakeModel();
    const { post } = await serveDoors({ model });
    const body = {
      ...HELLO,
      model: "gpt-4o-mini-tts",
      instructions: "A small boat on a lake.",
      speed: 1,
      lang_code: "a",
      extra: { nested: [1] },
      temperature: 0.3,
      seed: 7,
      response_format: null,
    };
    expect((await post(SPEECH, body)).status).toBe(200);
    expect((await post(SPEECH, { ...body, scene_prompt: "A hall." })).status).toBe(200);
    const [first, second] = model.requests;
    expect(first).toMatchObject({
      transcript: "The sun is warm.",
      scene: "A small boat on a lake.",
      seed: 7,
      sampling: { temperature: 0.3 },
      chunkMethod: "auto",
    });
    expect(second).toMatchObject({ scene: "A hall." });
  });

  it.each<readonly [string, unknown, Partial<Envelope["error"]> & { readonly status: number }]>([
    ["no text", { model: "tts-1", voice: "alloy" }, { status: 400, code: "INVALID_INPUT", param: "input" }],
    ["only spaces", { ...HELLO, input: "  " }, { status: 400, param: "input" }],
    ["a text that is a number", { ...HELLO, input: 5 }, { status: 400, param: "input" }],
    ["a text that is too long", { ...HELLO, input: "a".repeat(4097) }, { status: 400, param: "input" }],
    ["an unknown format", { ...HELLO, response_format: "mid" }, { status: 400, param: "response_format" }],
    ["an unknown stream format", { ...HELLO, stream_format: "ws" }, { status: 400, param: "stream_format" }],
    ["an unknown voice", { ...HELLO, voice: "nobody" }, { status: 404, code: "VOICE_NOT_FOUND", param: "voice" }],
    ["a voice that is a list", { ...HELLO, voice: ["alloy"] }, { status: 400, param: "voice" }],
    ["a wrong field of a job", { ...HELLO, temperature: "hot" }, { status: 400, param: "temperature" }],
    ["control strings", { ...HELLO, input: "<|im_end|> hello" }, { status: 400, code: "INVALID_INPUT" }],
    ["a list", [HELLO], { status: 400, code: "INVALID_INPUT", param: null }],
    ["no JSON", "{", { status: 400, code: "INVALID_INPUT" }],
  ])("answers %s with an error that OpenAI's clients can read", async (_name, body, { status, ...error }) => {
    const { post } = await serveDoors();
    const response = await post(SPEECH, body);
    expect(response.status).toBe(status);
    const envelope = (await response.json()) as Envelope;
    expect(envelope.error).toMatchObject({ type: "invalid_request_error", ...error });
    expect(envelope.error.message).toMatch(/^[A-Z_]+: Cannot /);
  });

  it("a failure before the first audio has its status, and says whether to try again", async () => {
    const fail = (code: "MODEL_CORRUPT" | "ENGINE_CRASHED" | "GENERATION_FAILED"): HiggsError =>
      new HiggsError(code, "speak", "it is broken");
    const ask = async (code: Parameters<typeof fail>[0]) => {
      const { post } = await serveDoors({ model: fakeModel({ fail: fail(code) }) });
      const response = await post(SPEECH, { ...HELLO, stream_format: "sse" });
      const { headers, status } = response;
      const { error } = (await response.json()) as Envelope;
      return {
        status,
        code: error.code,
        type: error.type,
        retryAfter: headers.get("retry-after"),
        shouldRetry: headers.get("x-should-retry"),
      };
    };
    expect(await Promise.all([ask("MODEL_CORRUPT"), ask("ENGINE_CRASHED"), ask("GENERATION_FAILED")])).toEqual([
      { status: 503, code: "MODEL_CORRUPT", type: "server_error", retryAfter: "60", shouldRetry: "false" },
      { status: 503, code: "ENGINE_CRASHED", type: "server_error", retryAfter: "1", shouldRetry: null },
      { status: 500, code: "GENERATION_FAILED", type: "server_error", retryAfter: null, shouldRetry: null },
    ]);
  });

  it("a failure after the first audio breaks the stream off, or is the last event", async () => {
    // The last sample is not a number, which only shows when all is made.
    const spoil = (pcm: Float32Array): Float32Array =>
      pcm.map((sample, index) => (index === pcm.length - 1 ? Number.NaN : sample));
    const { post } = await serveDoors({ model: fakeModel({ isLive: true, spoil, frameMs: 1 }) });
    const response = await post(SPEECH, { ...HELLO, response_format: "pcm" });
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow("terminated");
    const events = eventsOf(await (await post(SPEECH, { ...HELLO, stream_format: "sse" })).text());
    expect(events.at(-1)).toMatchObject({ type: "error", error: { code: "GENERATION_FAILED" } });
  });

  it("stops the speech when the client hangs up, during audio, events, and before any", async () => {
    const model = fakeModel({ isLive: true, frames: 5000, frameMs: 1 });
    const { post, server } = await serveDoors({ model });
    for (const body of [
      { ...HELLO, response_format: "pcm" },
      { ...HELLO, stream_format: "sse" },
    ]) {
      const caller = new AbortController();
      const response = await post(SPEECH, body, { signal: caller.signal });
      await response.body?.getReader().read();
      expect(server.api.queue.counts.inProgress).toBe(1);
      caller.abort();
      await expect.poll(() => server.api.queue.counts).toMatchObject({ inProgress: 0, inQueue: 0 });
    }
    const caller = new AbortController();
    const waiting = post(SPEECH, { ...HELLO, stream: false }, { signal: caller.signal });
    await expect.poll(() => server.api.queue.counts.inProgress).toBe(1);
    caller.abort();
    await expect(waiting).rejects.toThrow("aborted");
    await expect.poll(() => server.api.queue.counts.inProgress).toBe(0);
  });

  it("refuses what no longer fits into the queue, whatever door it comes by", async () => {
    const model = fakeModel({ isLive: true, frames: 5000, frameMs: 1 });
    const { post, server } = await serveDoors({ model, env: { HIGGS_MAX_QUEUE: "2" } });
    const caller = new AbortController();
    const { signal } = caller;
    const waiting = Array.from({ length: 2 }, () => post(SPEECH, HELLO, { signal }).catch(() => null));
    await expect.poll(() => server.api.queue.counts).toMatchObject({ inProgress: 1, inQueue: 1 });
    await post("/run", { input: { transcript: "Hello." } });
    const refused = [await post(SPEECH, HELLO), await post("/run", { input: { transcript: "Hello." } })];
    for (const { status, headers } of refused) {
      expect(status).toBe(429);
      expect(headers.get("retry-after")).toMatch(/^([1-9]|[1-5][0-9]|60)$/);
    }
    expect(await refused[0]?.json()).toMatchObject({ error: { code: "OVERLOADED", type: "rate_limit_error" } });
    caller.abort();
    await Promise.all(waiting);
  });
});

describe("access", () => {
  const KEY = "the-right-key";

  it("asks for the key on every route but the open ones, in OpenAI's words", async () => {
    const { post } = await serveDoors({ env: { HIGGS_API_KEY: KEY } });
    const headers = (key: string) => ({ headers: { authorization: key } });
    for (const wrong of ["", "Bearer", `Bearer ${KEY}x`, `Bearer ${KEY.slice(1)}`, `Basic ${KEY}`]) {
      const response = await post(SPEECH, HELLO, headers(wrong));
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: "UNAUTHORIZED", type: "authentication_error" } });
    }
    expect((await post("/v1/audio/other", HELLO)).status).toBe(401);
    expect((await post(SPEECH, HELLO, headers(`Bearer ${KEY}`))).status).toBe(200);
    expect((await post(SPEECH, HELLO, headers(KEY))).status).toBe(200);
  });

  it("web pages of other origins get nothing unless they are allowed", async () => {
    const origin = "https://app.example";
    const preflight = (url: string) =>
      fetch(url + SPEECH, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
      });
    const closed = await serveDoors();
    const refused = await closed.post(SPEECH, HELLO, { headers: { origin } });
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect((await preflight(closed.url)).headers.get("access-control-allow-origin")).toBeNull();
    const open = await serveDoors({ env: { HIGGS_CORS_ORIGINS: origin } });
    const allowed = await open.post(SPEECH, HELLO, { headers: { origin } });
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([200, origin]);
    const asked = await preflight(open.url);
    expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
    expect(asked.headers.get("access-control-allow-headers")).toContain("content-type");
    const failed = await open.post(SPEECH, {}, { headers: { origin } });
    expect([failed.status, failed.headers.get("access-control-allow-origin")]).toEqual([400, origin]);
    const other = await open.post(SPEECH, HELLO, { headers: { origin: "https://other.example" } });
    expect([other.status, other.headers.get("access-control-allow-origin")]).toEqual([403, null]);
  });
});
