import { describe, expect, it } from "vitest";
import { RunPodEndpoint } from "./runpod-endpoint.ts";
import { scriptedServer } from "./testing/scripted-server.ts";

const INPUT = { transcript: "The sun is warm.", delivery: "s3" } as const;
const OUTPUT = { success: true, audio_url: "s3://bucket/key.wav" };

function endpointOf(server: { fetch: typeof fetch }) {
  return new RunPodEndpoint({ endpointId: "abc", apiKey: "k", fetch: server.fetch, sleep: async () => {} });
}

const json = (body: unknown) => Response.json(body);

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("RunPodEndpoint", () => {
  it("queues a job with its policy and waits until it is done", async () => {
    const server = scriptedServer(
      json({ id: "j1", status: "IN_QUEUE" }),
      json({ id: "j1", status: "IN_PROGRESS", output: { chunk: 1, chunks: 2 } }),
      json({ id: "j1", status: "COMPLETED", output: OUTPUT }),
    );
    const output = await endpointOf(server).speak(INPUT, { policy: { executionTimeout: 60_000 } });
    expect(output).toEqual(OUTPUT);
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST https://api.runpod.ai/v2/abc/run",
      "GET https://api.runpod.ai/v2/abc/status-sync/j1?wait=90000",
      "GET https://api.runpod.ai/v2/abc/status-sync/j1?wait=90000",
    ]);
    expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({ input: INPUT, policy: { executionTimeout: 60_000 } });
  });

  it("throws the code and the reason of a job that failed", async () => {
    const error = "VOICE_NOT_FOUND: Cannot use the voice: there is none of this name (got nova2)";
    const server = scriptedServer(json({ id: "j1", status: "IN_QUEUE" }), json({ id: "j1", status: "FAILED", error }));
    await expect(endpointOf(server).speak(INPUT)).rejects.toMatchObject({
      message: error,
      code: "VOICE_NOT_FOUND",
      jobId: "j1",
      isRetryable: false,
    });
  });

  it("cancels the job when the caller aborts while it waits", async () => {
    const abort = new AbortController();
    const server = scriptedServer(
      json({ id: "j1", status: "IN_QUEUE" }),
      () => {
        abort.abort(new Error("enough"));
        throw abort.signal.reason as Error;
      },
      json({ id: "j1", status: "CANCELLED" }),
    );
    await expect(endpointOf(server).speak(INPUT, { signal: abort.signal })).rejects.toThrow("enough");
    expect(server.seen.at(-1)?.url).toBe("https://api.runpod.ai/v2/abc/cancel/j1");
  });

  it("yields the audio of a streamed job, the last slices too, then its output", async () => {
    const item = (sequence: number) => ({ output: { type: "audio", sequence, audio_base64: "AAA=" } });
    const final = { output: { type: "final", sequence: 2, output: OUTPUT } };
    const server = scriptedServer(
      json({ id: "j1", status: "IN_QUEUE" }),
      json({ status: "IN_PROGRESS", stream: [item(0)] }),
      json({ status: "IN_PROGRESS", stream: [] }),
      json({ status: "COMPLETED", stream: [item(1), final] }),
      json({ id: "j1", status: "COMPLETED", output: [] }),
    );
    const items = await all(endpointOf(server).stream(INPUT));
    expect(items.map(({ type, sequence }) => [type, sequence])).toEqual([
      ["audio", 0],
      ["audio", 1],
      ["final", 2],
    ]);
    expect(JSON.parse(server.seen[0]?.body ?? "")).toEqual({ input: { ...INPUT, stream: true } });
  });

  it("throws after the audio when a streamed job fails, and does not ask for lost slices again", async () => {
    const server = scriptedServer(
      json({ id: "j1", status: "IN_QUEUE" }),
      json({ status: "FAILED", stream: [] }),
      json({ id: "j1", status: "FAILED", error: "OUT_OF_MEMORY: Cannot speak: …" }),
    );
    await expect(all(endpointOf(server).stream(INPUT))).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
    const broken = scriptedServer(
      json({ id: "j1", status: "IN_QUEUE" }),
      new Error("reset"),
      json({ status: "CANCELLED" }),
    );
    await expect(all(endpointOf(broken).stream(INPUT))).rejects.toThrow("no answer from the server: reset");
    expect(broken.seen.map(({ url }) => url.split("/").at(-2))).toEqual(["abc", "stream", "cancel"]);
  });

  it("cancels a streamed job whose loop is left early", async () => {
    const server = scriptedServer(
      json({ id: "j1", status: "IN_QUEUE" }),
      json({ status: "IN_PROGRESS", stream: [{ output: { type: "audio", sequence: 0 } }] }),
      json({ id: "j1", status: "CANCELLED" }),
    );
    for await (const item of endpointOf(server).stream(INPUT)) {
      expect(item.sequence).toBe(0);
      break;
    }
    expect(server.seen.at(-1)?.url).toBe("https://api.runpod.ai/v2/abc/cancel/j1");
  });
});
