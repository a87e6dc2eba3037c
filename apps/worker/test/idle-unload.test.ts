import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { serveDemo } from "../src/testing/serve-demo.ts";

/** `higgs serve` that frees its model when nobody speaks. Children of a process are only known on Linux. */

const WAIT_MS = 240_000;

let server: ChildProcess;
let url = "";

beforeAll(async () => {
  ({ process: server, url } = await serveDemo({ HIGGS_IDLE_UNLOAD_S: "1" }, WAIT_MS));
});
afterAll(() => {
  server.kill("SIGKILL");
});

function enginePids(): number[] {
  const tasks = `/proc/${server.pid}/task`;
  const children = readdirSync(tasks).flatMap((task) => readFileSync(`${tasks}/${task}/children`, "utf8").split(" "));
  // The compiler of this test has a process too.
  return children.filter((pid) => pid.trim() !== "" && commandOf(pid).includes("engine-process-main")).map(Number);
}

/** Empty when it has ended meanwhile. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

async function health(): Promise<Readonly<Record<string, unknown>>> {
  return (await (await fetch(`${url}/health`)).json()) as Record<string, unknown>;
}

async function untilUnloaded(): Promise<void> {
  const unloaded = { model: { engine: "unloaded" }, checks: { model: { status: "ready" } } };
  await vi.waitFor(async () => expect(await health()).toMatchObject(unloaded), WAIT_MS);
  await vi.waitFor(() => expect(enginePids()).toEqual([]), WAIT_MS);
}

describe.runIf(existsSync("/proc/self/task"))("higgs serve with HIGGS_IDLE_UNLOAD_S", () => {
  it("ends the engine's process when idle, stays ready, and starts another for the next job", async () => {
    await vi.waitFor(() => expect(enginePids()).toHaveLength(1), WAIT_MS);
    const [first] = enginePids();
    await untilUnloaded();
    expect((await fetch(`${url}/ping`)).status).toBe(200);
    const body = JSON.stringify({ input: { transcript: "The sun is warm.", seed: 1, temperature: 0.3 } });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/runsync`, { method: "POST", headers, body });
    expect(await answer.json()).toMatchObject({ status: "COMPLETED" });
    const [second] = enginePids();
    expect(second).not.toBe(first);
    await untilUnloaded();
  });
});
