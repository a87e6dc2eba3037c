import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AdjustableClock } from "../job-queue/clock.ts";
import { startEmulator, type Emulator } from "./emulator.ts";
import { WireWorker } from "./testing/wire-worker.ts";

let emulator: Emulator;
let worker: WireWorker;

beforeEach(async () => {
  emulator = await startEmulator({ clock: new AdjustableClock(0) });
  worker = new WireWorker(emulator);
});

afterEach(() => emulator.close());

async function control(method: string, path: string, body?: unknown) {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${emulator.url}/_emulator${path}`, { method, ...text });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe("controls over HTTP", () => {
  it("queues jobs with chosen ids and fields, and reports what happened", async () => {
    expect((await control("POST", "/jobs", { id: "j1", input: 5, fields: { batchId: "b" } })).body).toEqual({
      id: "j1",
      status: "IN_QUEUE",
    });
    expect(await worker.takeJob()).toMatchObject({ id: "j1", input: 5, batchId: "b" });
    expect((await control("GET", "/workers")).body).toMatchObject({ workers: [{ id: "w1", jobs: ["j1"] }] });
    await worker.done("j1", { output: 1 });
    await worker.done("j1", { output: 2 });
    expect((await control("GET", "/violations")).body).toMatchObject({ violations: [{ kind: "result-after-result" }] });
    expect((await control("GET", "")).body).toMatchObject({
      health: { jobs: { completed: 1 } },
      totals: { results: 1 },
      violations: { "result-after-result": 1 },
      requests: 3,
    });
    const { body } = await control("GET", "/requests?route=job-done&after=2");
    expect(body["requests"]).toMatchObject([{ number: 3, body: '{"output":2}' }]);
    await control("POST", "/forget");
    expect((await control("GET", "/requests")).body).toEqual({ requests: [] });
  });

  it("adds, shows, releases and removes faults, and they do not strike controls", async () => {
    const action = { kind: "respond", status: 503 };
    const { body } = await control("POST", "/faults", { route: "*", times: "always", action });
    expect((await worker.ping()).status).toBe(503);
    expect((await worker.ping()).status).toBe(503);
    expect((await control("GET", "/faults")).body).toMatchObject({ faults: [{ id: body["id"], hits: 2, action }] });
    await control("DELETE", `/faults/${String(body["id"])}`);
    expect((await worker.ping()).status).toBe(200);
    const hold = await control("POST", "/faults", { route: "ping", action: { kind: "hold" } });
    const held = worker.ping();
    await emulator.requests.waitFor({ fault: "hold" });
    await control("POST", `/faults/${String(hold.body["id"])}/release`);
    expect((await held).status).toBe(200);
    await control("POST", "/freeze", { route: "ping" });
    const frozen = worker.ping();
    await emulator.requests.waitForCount(5, { route: "ping" });
    await control("DELETE", "/faults");
    expect((await frozen).status).toBe(200);
  });

  it("moves the clock, sends stop signals, delivers again and loses workers", async () => {
    await control("POST", "/jobs", { id: "j1", input: 1 });
    await worker.takeJob();
    await control("POST", "/workers/w1/stop", { jobIds: ["j1", "other"] });
    expect(await (await worker.stop()).json()).toEqual({ jobsToStop: ["j1", "other"] });
    await control("POST", "/jobs/j1/deliver-again");
    expect((await worker.takeJob()).id).toBe("j1");
    await control("POST", "/workers/w1/lose");
    expect(emulator.queue.get("j1")?.status).toBe("IN_QUEUE");
    const { body } = await control("POST", "/clock", { advanceMs: 86_400_000, scale: 2 });
    expect(body["scale"]).toBe(2);
    expect(emulator.queue.get("j1")).toBeUndefined();
  });

  it.each([
    ["advanceMs", -1],
    ["advanceMs", "60000"],
    ["advanceMs", null],
    ["advanceMs", true],
    ["advanceMs", 1e300],
    ["scale", -1],
    ["scale", "fast"],
    ["scale", null],
    ["scale", 1e12],
    ["sclae", 2],
  ])("refuses POST /_emulator/clock with %s %j, and the clock stays as it is", async (name, value) => {
    const nowMs = emulator.clock.now();
    const answer = await control("POST", "/clock", { advanceMs: 5, scale: 0, [name]: value });
    expect(answer).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining(name), code: "INVALID_INPUT" },
    });
    expect([emulator.clock.now(), emulator.clock.scale]).toEqual([nowMs, 0]);
  });

  it("refuses a clock with nothing to do, and bodies that are not JSON objects in UTF-8", async () => {
    for (const body of [{}, [], "text", null]) expect((await control("POST", "/clock", body)).status).toBe(400);
    const url = `${emulator.url}/_emulator/jobs`;
    const latin1 = await fetch(url, { method: "POST", body: Buffer.from('{"input":"\xfc"}', "latin1") });
    expect(latin1.status).toBe(400);
    expect(emulator.queue.records()).toEqual([]);
  });

  it.each([
    [{ id: 5, input: 1 }, "id must be a non-empty string"],
    [{ id: "", input: 1 }, "id must be a non-empty string"],
    [{ id: "j1", input: 1, fields: "x" }, "fields must be an object"],
    [{ id: "j1", inptu: 1 }, "inptu"],
    [{ id: "taken", input: 1 }, "in use"],
  ])("refuses the job %j, which would be another one than was meant", async (body, part) => {
    emulator.submit({ input: 0 }, { id: "taken" });
    expect(await control("POST", "/jobs", body)).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining(part) },
    });
    expect(emulator.queue.records()).toHaveLength(1);
  });

  it.each([
    [{ action: { kind: "respond", status: 99 } }, "status"],
    [{ action: { kind: "respond", status: "503" } }, "status"],
    [{ action: { kind: "respond", status: 503, headers: { "a b": "x" } } }, "headers"],
    [{ action: { kind: "respond", status: 503, headers: { a: 1 } } }, "headers"],
    [{ action: { kind: "delay" } }, "delayMs"],
    [{ action: { kind: "delay", delayMs: -5 } }, "delayMs"],
    [{ action: { kind: "truncate", keptBytes: 1.5 } }, "keptBytes"],
    [{ action: { kind: "reset", isAfterEffect: "yes" } }, "isAfterEffect"],
    [{ action: { kind: "hold" }, times: "3" }, "times"],
    [{ action: { kind: "hold" }, times: -1 }, "times"],
    [{ action: { kind: "hold" }, skip: 0.5 }, "skip"],
    [{ action: { kind: "hold" }, probability: 2 }, "probability"],
    [{ action: { kind: "hold" }, tiems: 2 }, "tiems"],
    [{ action: { kind: "__proto__" } }, "action.kind"],
    [{ route: ["ping", "nowhere"], action: { kind: "hold" } }, "route"],
  ])("refuses the fault %j", async (rule, part) => {
    const answer = await control("POST", "/faults", { route: "*", ...rule });
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringContaining(part) } });
    expect(emulator.faults.list()).toEqual([]);
  });

  it("says what it does not understand", async () => {
    expect(await control("POST", "/faults", { route: "ping", action: { kind: "explode" } })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("action.kind") },
    });
    expect(await control("POST", "/freeze", { route: "nowhere" })).toMatchObject({ status: 400 });
    expect(await control("POST", "/faults", "text")).toMatchObject({ status: 400 });
    expect(await control("POST", "/workers/w1/stop", { jobIds: ["j1", 5] })).toMatchObject({ status: 400 });
    expect(await control("GET", "/requests?after=soon")).toMatchObject({ status: 400 });
    expect(await control("POST", "/workers/w1/signal", { signal: "SIGTERM" })).toMatchObject({ status: 400 });
  });
});
