import { describe, expect, it } from "vitest";
import { RunpodClient } from "../index.ts";
import { API_KEY, startTestAccount } from "../testing/test-account.ts";
import { readLogEvents } from "./log-events.ts";

const VOLUME = { name: "v", size: 30, dataCenter: "EU-RO-1" };

describe("failures", () => {
  it("401 says so once, without the key", async () => {
    const { emulator } = await startTestAccount();
    const client = new RunpodClient({ baseUrl: emulator.url, apiKey: "rpa_WRONG" });
    const error: unknown = await client.endpoints.list().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: "unauthorized", status: 401 });
    expect(JSON.stringify(error) + String(error)).not.toContain("rpa_WRONG");
  });

  it.each([
    [400, "refused"],
    [403, "forbidden"],
    [409, "conflict"],
    [422, "refused"],
  ] as const)("%i is final", async (status, failure) => {
    const { client, emulator, waits } = await startTestAccount();
    emulator.faults.add({ action: { kind: "answer", status, detail: "because" } });
    await expect(client.volumes.list()).rejects.toMatchObject({ failure, status, detail: "because" });
    expect([emulator.requests.length, waits]).toEqual([1, []]);
  });

  it("404 is null, and false for a deletion", async () => {
    const { client } = await startTestAccount();
    expect(await client.endpoints.get("nothing")).toBeNull();
    expect(await client.endpoints.remove("nothing")).toBe(false);
    await expect(client.endpoints.update("nothing", { timeout: 1 })).rejects.toMatchObject({ failure: "not-found" });
  });

  it("429 waits as long as RunPod says, also for a POST", async () => {
    const { client, emulator, waits } = await startTestAccount();
    emulator.faults.add({ action: { kind: "answer", status: 429, retryAfterSeconds: 12 }, times: 2 });
    await client.volumes.create(VOLUME);
    expect(waits).toEqual([12_000, 12_000]);
    expect(emulator.account.volumes.size).toBe(1);
  });

  it("429 without an end is given up", async () => {
    const { client, emulator, waits } = await startTestAccount({ client: { rateLimitWaitMs: 30_000 } });
    emulator.faults.add({ action: { kind: "answer", status: 429, retryAfterSeconds: 12 }, times: 99 });
    await expect(client.volumes.list()).rejects.toMatchObject({ failure: "rate-limited" });
    expect(waits).toEqual([12_000, 12_000]);
  });

  it.each([
    ["5xx", { kind: "answer", status: 503 }],
    ["a page of HTML", { kind: "answer", status: 502, isHtml: true }],
    ["a broken connection", { kind: "reset" }],
  ] as const)("%s is tried again for everything but POST", async (_name, action) => {
    const { client, emulator, waits } = await startTestAccount();
    emulator.faults.add({ action, times: 2 });
    expect(await client.volumes.list()).toEqual([]);
    expect(waits).toEqual([1000, 2000]);
    emulator.faults.add({ action });
    await expect(client.volumes.create(VOLUME)).rejects.toMatchObject({ isAmbiguous: true });
    expect(waits).toHaveLength(2);
  });

  it("5xx without an end is given up", async () => {
    const { client, emulator, waits } = await startTestAccount();
    emulator.faults.add({ action: { kind: "answer", status: 500 }, times: 99 });
    await expect(client.volumes.list()).rejects.toMatchObject({ failure: "unavailable", status: 500 });
    expect(waits).toEqual([1000, 2000, 4000, 8000]);
  });

  it("an answer that is not what the schema promises is an error", async () => {
    const body = (text: string) =>
      (async function* () {
        yield Buffer.from(text);
      })();
    for (const text of ["[]", "<html>", '{"endpoints": [{}]}', '{"endpoints": "none"}']) {
      const transport = async () => ({ status: 200, headers: { get: () => null }, body: body(text) });
      const client = new RunpodClient({ apiKey: API_KEY, transport });
      await expect(client.endpoints.list()).rejects.toMatchObject({ failure: "unreadable" });
    }
  });

  it("a key in RunPod's words is not repeated", async () => {
    const { client, emulator } = await startTestAccount();
    emulator.faults.add({ action: { kind: "answer", status: 403, detail: `the key ${API_KEY} may not` } });
    const error: unknown = await client.volumes.list().catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("the key *** may not");
  });
});

it("log lines are read across chunks, line breaks of both kinds and broken events", async () => {
  const text =
    'id: 1\r\ndata: {"source":"container","line":"äh","ts":"t1"}\r\n\r\n: a comment\n\ndata: not JSON\n\nid: 2\ndata: {"line":"b"}\n\ndata: {"line":"unfinished"}';
  const bytes = Buffer.from(text);
  const body = (async function* () {
    for (const byte of bytes) yield Uint8Array.of(byte);
  })();
  const events: unknown[] = [];
  for await (const event of readLogEvents(body)) events.push(event);
  expect(events).toEqual([
    { id: "1", source: "container", line: "äh", ts: "t1" },
    { id: "2", source: "", line: "b", ts: "" },
  ]);
});
