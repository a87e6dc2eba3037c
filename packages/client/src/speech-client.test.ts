import { describe, expect, it } from "vitest";
import { HiggsApiError } from "./http/api-error.ts";
import { SpeechClient } from "./speech-client.ts";
import { scriptedServer } from "./testing/scripted-server.ts";

const REQUEST = { input: "The sun is warm.", voice: "nova", seed: 7, temperature: 0.3 };
const AUDIO = new Response(new Uint8Array([1, 2, 3]), { headers: { "content-type": "audio/mpeg" } });
const BUSY = Response.json(
  { error: { message: "Cannot take the request: the queue is full", code: "OVERLOADED" } },
  { status: 429 },
);

function clientOf(server: { fetch: typeof fetch }, options: object = {}) {
  const waits: number[] = [];
  const sleep = async (delayMs: number) => void waits.push(delayMs);
  const client = new SpeechClient({
    baseUrl: "http://higgs.test/",
    apiKey: "k",
    fetch: server.fetch,
    sleep,
    ...options,
  });
  return { client, waits };
}

describe("SpeechClient", () => {
  it("sends OpenAI's fields and ours with the key, and gives the audio and its type", async () => {
    const server = scriptedServer(AUDIO);
    const { client } = clientOf(server);
    const audio = await client.speak(REQUEST);
    expect(audio).toEqual({ bytes: new Uint8Array([1, 2, 3]), mimeType: "audio/mpeg" });
    const [request] = server.seen;
    expect(request?.url).toBe("http://higgs.test/v1/audio/speech");
    expect(request?.headers.get("authorization")).toBe("Bearer k");
    expect(JSON.parse(request?.body ?? "")).toEqual({ model: "higgs-audio-v2", ...REQUEST });
  });

  it("waits as long as a busy server says, and tries again", async () => {
    const busy = new Response(BUSY.clone().body, { status: 429, headers: { "retry-after": "3" } });
    const { client, waits } = clientOf(scriptedServer(busy, AUDIO));
    expect((await client.speak(REQUEST)).bytes).toHaveLength(3);
    expect(waits).toEqual([3000]);
  });

  it("waits twice as long before each further try when the server does not say", async () => {
    const { client, waits } = clientOf(scriptedServer(new Error("reset"), new Response("", { status: 502 }), AUDIO));
    await client.speak(REQUEST);
    expect(waits).toEqual([500, 1000]);
  });

  it("gives up after the allowed tries, with the server's message, code and status", async () => {
    const server = scriptedServer(BUSY);
    const { client } = clientOf(server, { maxRetries: 1 });
    const failure = await client.speak(REQUEST).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: "HiggsApiError",
      message: "Cannot take the request: the queue is full",
      code: "OVERLOADED",
      status: 429,
      isRetryable: true,
    });
    expect(server.seen).toHaveLength(2);
  });

  it("does not wait longer than a minute, however long the server asks", async () => {
    const server = scriptedServer(new Response("", { status: 503, headers: { "retry-after": "120" } }));
    const { client, waits } = clientOf(server);
    await expect(client.speak(REQUEST)).rejects.toThrow(HiggsApiError);
    expect([server.seen.length, waits]).toEqual([1, []]);
  });

  it.each([
    ["OpenAI's shape", { error: { message: "no such voice", type: "invalid_request_error", code: "VOICE_NOT_FOUND" } }],
    ["RunPod's shape", { error: "no such voice", code: "VOICE_NOT_FOUND", retryable: false }],
    ["the shape of FastAPI", { detail: { message: "no such voice", code: "VOICE_NOT_FOUND" } }],
  ])("reads a refusal in %s and does not repeat it", async (_name, body) => {
    const server = scriptedServer(Response.json(body, { status: 404 }));
    const failure = await clientOf(server)
      .client.speak(REQUEST)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      message: "no such voice",
      code: "VOICE_NOT_FOUND",
      status: 404,
      isRetryable: false,
    });
    expect(server.seen).toHaveLength(1);
  });

  it("does not repeat a proxy's page as a message", async () => {
    const page = new Response("<html>Bad Gateway</html>", { status: 502, statusText: "Bad Gateway" });
    const { client } = clientOf(scriptedServer(page), { maxRetries: 0 });
    await expect(client.speak(REQUEST)).rejects.toThrow("the server answered 502 Bad Gateway");
  });

  it("gives slices as they come, and ends the speech when the loop is left", async () => {
    let isCancelled = false;
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (queue) => queue.enqueue(new Uint8Array([(sent += 1)])),
      cancel: () => void (isCancelled = true),
    });
    const { client } = clientOf(
      scriptedServer(() => new Response(body, { headers: { "content-type": "audio/mpeg" } })),
    );
    const stream = await client.stream(REQUEST);
    expect(stream.mimeType).toBe("audio/mpeg");
    const slices: number[] = [];
    for await (const slice of stream) {
      slices.push(slice[0] ?? 0);
      if (slices.length === 3) break;
    }
    expect([slices, isCancelled]).toEqual([[1, 2, 3], true]);
  });

  it("throws the caller's reason when it aborts, and sends nothing more", async () => {
    const server = scriptedServer(AUDIO);
    const reason = new Error("changed my mind");
    await expect(clientOf(server).client.speak(REQUEST, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.seen).toHaveLength(0);
  });

  it("uploads a consent and a voice as forms, once each", async () => {
    const server = scriptedServer(
      Response.json({ id: "consent-1" }),
      Response.json({ id: "voice-1" }),
      new Response("", { status: 500 }),
    );
    const { client } = clientOf(server);
    const recording = new Blob([new Uint8Array(8)], { type: "audio/wav" });
    const consentId = await client.createConsent({ name: "ada", recording, language: "en-US" });
    expect(await client.createVoice({ name: "ada", audio: recording, transcript: "Hello.", consentId })).toBe(
      "voice-1",
    );
    const bodies = server.seen.map(({ body }) => body);
    expect(bodies[0]).toContain('name="language"\r\n\r\nen-US');
    expect(bodies[1]).toContain('name="consent"\r\n\r\nconsent-1');
    expect(bodies[1]).toContain('name="audio_sample"; filename="recording"');
    expect(server.seen[1]?.headers.get("content-type")).toMatch(/^multipart\/form-data; boundary=/);
    await expect(client.createVoice({ name: "ada", audio: recording, consentId })).rejects.toThrow(HiggsApiError);
    expect(server.seen).toHaveLength(3);
  });
});
