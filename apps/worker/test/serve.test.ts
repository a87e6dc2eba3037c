import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import runpodSdk from "runpod-sdk";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { serveDemo } from "../src/testing/serve-demo.ts";
import { openSocket } from "../src/testing/socket-client.ts";

/** `higgs serve` with the demo checkpoint, called with RunPod's official client for Node. */

const KEY = "test-key";
const SENTENCE = { transcript: "The sun is warm and the sky is blue.", temperature: 0.3, seed: 1 };
const LONG = { transcript: "The sun is warm. ".repeat(60), chunk_method: "word", chunk_max_word_num: 8 };
const START_MS = 240_000;

let server: ChildProcess;
let url = "";
let printed: () => string;
beforeAll(async () => {
  // The client prints each state that it sees.
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  ({ process: server, url, output: printed } = await serveDemo({ HIGGS_API_KEY: KEY }, START_MS));
  await vi.waitFor(async () => {
    if ((await pingStatus()) !== 200) throw new Error(`the server does not start:\n${printed()}`);
  }, START_MS);
});
afterAll(() => {
  server.kill("SIGKILL");
  vi.restoreAllMocks();
});

async function pingStatus(): Promise<number> {
  return (await fetch(`${url}/ping`)).status;
}

function client(key = KEY) {
  const endpoint = runpodSdk(key, { baseUrl: url }).endpoint("higgs");
  if (endpoint === null) throw new Error("no endpoint");
  return endpoint;
}

describe("higgs serve", () => {
  it("speaks text while it is written, and stops when it is interrupted", async () => {
    const client = await openSocket(`${url}/v1/audio/speech/stream`, { authorization: `Bearer ${KEY}` });
    client.send({ type: "session.config", temperature: 0.3, seed: 1, max_new_tokens: 100 });
    client.send({ type: "input.text", text: "The sun is warm. " });
    expect(await client.untilType("audio.done")).toMatchObject({ sentence_index: 0, error: false });
    // The beginning of a sentence is spoken when nothing follows it for a while, so the rest comes at once.
    client.send(
      { type: "input.text", text: "The sky is " },
      { type: "input.text", text: "blue." },
      { type: "input.done" },
    );
    expect(await client.untilType("session.done")).toMatchObject({ total_sentences: 2 });
    const audioBytes = (): number =>
      client.received.reduce((sum, part) => sum + (Buffer.isBuffer(part) ? part.length : 0), 0);
    expect(audioBytes()).toBeGreaterThan(2 * 24_000);
    const before = audioBytes();
    client.send({ type: "input.text", text: "The sun is warm and the sky is blue and the sun is warm. " });
    await client.untilType("audio.start");
    await expect.poll(audioBytes, { timeout: 20_000 }).toBeGreaterThan(before);
    client.send({ type: "input.cancel" });
    expect(await client.untilType("audio.done")).toMatchObject({ cancelled: true });
    await client.untilType("input.cancelled");
    client.socket.close();
  });

  it("says what is served", async () => {
    const health = await fetch(`${url}/health`, { headers: { authorization: `Bearer ${KEY}` } });
    expect(await health.json()).toMatchObject({
      built_with: "Built with Higgs Audio V2",
      model: { layout: "native", slots: expect.any(Number), engine: "running", device: expect.stringContaining("CPU") },
      workers: { ready: 1 },
      jobs: { inProgress: 0 },
    });
  });

  it("asks for the key", async () => {
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: expect.any(String) });
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ id: "j1", input: SENTENCE });
    for (const path of ["/run", "/runsync", "/openai/v1/audio/speech", "/any/realtime"]) {
      expect((await fetch(url + path, { method: "POST", headers, body })).status).toBe(401);
    }
  });

  it("runSync gives the audio", async () => {
    const { status, output } = await client().runSync({ input: SENTENCE });
    expect(status).toBe("COMPLETED");
    expect(output).toMatchObject({ success: true, format: "wav" });
    expect(Buffer.from(String(output.audio_base64), "base64").subarray(0, 4).toString("latin1")).toBe("RIFF");
  });

  it("stream gives the audio in parts while it is made, and status the whole afterwards", async () => {
    const { id } = await client().run({ input: { ...SENTENCE, stream: true } });
    const items: Record<string, unknown>[] = [];
    for await (const part of client().stream(id)) items.push((part as { output: Record<string, unknown> }).output);
    expect(items.map(({ sequence }) => sequence)).toEqual(items.map((_, index) => index));
    expect(items.slice(0, -1).every(({ type }) => type === "audio")).toBe(true);
    expect(items.at(-1)).toMatchObject({ type: "final", output: { success: true } });
    expect(await client().status(id)).toMatchObject({
      status: "COMPLETED",
      output: { audio_base64: expect.any(String) },
    });
  });

  it("a wrong input fails with a reason", async () => {
    const answer = await client().runSync({ input: { ...SENTENCE, tempreature: 1 } });
    expect(answer).toMatchObject({
      status: "FAILED",
      error: expect.stringMatching(/^INVALID_INPUT: .*did you mean temperature\?/),
    });
  });

  it("cancel ends the speech", async () => {
    const { id } = await client().run({ input: LONG });
    await expect.poll(async () => (await client().status(id)).status).toBe("IN_PROGRESS");
    expect(await client().cancel(id)).toMatchObject({ status: "CANCELLED" });
    const next = await client().runSync({ input: { ...SENTENCE, max_new_tokens: 16, allow_truncated: true } });
    expect(next.status).toBe("COMPLETED");
    expect(await client().health()).toMatchObject({ jobs: { inProgress: 0, inQueue: 0 } });
  });

  it("has written nothing but lines of one form", () => {
    const lines = printed().trim().split("\n");
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) {
      const record = JSON.parse(line) as Record<string, unknown>;
      expect(Object.keys(record).slice(0, 4)).toEqual(["time", "level", "requestId", "message"]);
    }
  });

  it("ends when it is told to", async () => {
    const exited = once(server, "exit");
    server.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  });
});
