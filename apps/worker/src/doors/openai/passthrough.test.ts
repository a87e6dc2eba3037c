import { afterEach, expect, it } from "vitest";
import { fakeModel } from "../../testing/fake-model.ts";
import { closeServedDoors, serveDoors } from "../../testing/served-doors.ts";

/** Requests to `/openai/*` as a queue endpoint of RunPod has them: each becomes a job with `openai_route` and `openai_input`. */

afterEach(closeServedDoors);

const ROUTE = "/v2/endpoint/openai/v1/audio/speech";
const HELLO = { model: "tts-1", input: "The sun is warm.", voice: "profile:male_en", response_format: "pcm" };

it("speaks, and answers with the output of a job", async () => {
  const { post } = await serveDoors();
  const response = await post(ROUTE, { ...HELLO, seed: 3, unknown: 1, delivery: "base64" });
  expect(response.status).toBe(200);
  const output = (await response.json()) as Record<string, unknown>;
  expect(output).toMatchObject({ object: "audio.speech", success: true, format: "pcm", sample_rate: 24_000 });
  expect(output["metadata"]).toMatchObject({ voice_clone: "profile:male_en", generation_parameters: { seed: 3 } });
  expect(Buffer.from(String(output["audio_base64"]), "base64").length).toBe(output["size_bytes"]);
});

it("streams events when it is told to, the same bytes as over HTTP, and stops when the client hangs up", async () => {
  const { post, server } = await serveDoors({ model: fakeModel({ isLive: true, frames: 1000, frameMs: 1 }) });
  const caller = new AbortController();
  const response = await post(ROUTE, { ...HELLO, stream: true }, { signal: caller.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  const { value } = (await response.body?.getReader().read()) ?? {};
  expect(Buffer.from(value ?? []).toString()).toMatch(/^data: \{"type":"speech\.audio\.delta","audio":"/);
  caller.abort();
  await expect.poll(() => server.api.queue.counts.inProgress).toBe(0);

  const whole = await serveDoors({ model: fakeModel({ isLive: true, frames: 10 }) });
  const body = { ...HELLO, seed: 9, stream_format: "sse", stream: true };
  const [queued, direct] = await Promise.all([whole.post(ROUTE, body), whole.post("/v1/audio/speech", body)]);
  const audioOf = (text: string): Buffer =>
    Buffer.concat([...text.matchAll(/"audio":"([^"]*)"/g)].map(([, base64 = ""]) => Buffer.from(base64, "base64")));
  const [queuedText, directText] = [await queued.text(), await direct.text()];
  expect(audioOf(queuedText)).toEqual(audioOf(directText));
  expect(queuedText.trimEnd().split("\n\n").at(-1)).toBe(directText.trimEnd().split("\n\n").at(-1));
});

it.each<readonly [string, object, number, string]>([
  ["no text", { ...HELLO, input: "" }, 400, "INVALID_INPUT"],
  ["an unknown voice", { ...HELLO, voice: "nobody" }, 404, "VOICE_NOT_FOUND"],
  ["a wrong field of a job", { ...HELLO, temperature: 7, stream: true }, 400, "INVALID_INPUT"],
])("refuses %s as over HTTP", async (_name, body, status, code) => {
  const { post, log } = await serveDoors();
  const response = await post(ROUTE, body);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code, message: expect.stringContaining("Cannot ") } });
  expect(log()).toContain("job failed");
});

it("lists models and voices, and says which routes there are", async () => {
  const { url } = await serveDoors();
  const get = async (path: string) => (await fetch(`${url}/openai/v1${path}`)).json();
  expect(await get("/models")).toMatchObject({ object: "list", data: [{ id: "tts-1" }, {}, {}, {}] });
  expect(await get("/audio/models")).toMatchObject({ models: [{ id: "tts-1" }, {}, {}, {}] });
  expect(await get("/audio/voices")).toMatchObject({
    voices: expect.arrayContaining([expect.objectContaining({ id: "slt" })]),
  });
  expect(await get("/chat/completions")).toMatchObject({ error: { message: expect.stringContaining("GET /models") } });
});

it("a speech request without a body is told so", async () => {
  const { post } = await serveDoors();
  const response = await post("/runsync", { input: { openai_route: "/v1/audio/speech" } });
  expect(await response.json()).toMatchObject({
    status: "FAILED",
    error: expect.stringMatching(/openai_input is missing/),
  });
});

it("a job without a route is a job as ever", async () => {
  const { post } = await serveDoors();
  const response = await post("/runsync", { input: { transcript: "Hello.", delivery: "base64" } });
  expect(await response.json()).toMatchObject({ status: "COMPLETED", output: { success: true, format: "wav" } });
});
