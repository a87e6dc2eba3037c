import type { HiggsError } from "@higgs-worker/base";
import type { EngineMemory, EngineState } from "@higgs-worker/higgs-audio";
import { expect, onTestFinished } from "vitest";
import { runServe } from "../commands/serve.ts";
import { loadWorkerRuntime } from "../commands/worker-runtime.ts";
import type { ServingModel } from "../model/load-model.ts";
import { fakeIo } from "./fake-io.ts";
import { fakeModel } from "./fake-model.ts";
import { scratchDir } from "./scratch.ts";

export const KEY = "a-long-key";
const MEMORY: EngineMemory = { residentBytes: 111, deviceFreeBytes: 222, deviceTotalBytes: 333 };

/** The engine, as the test wants it to be. */
export interface Machine {
  state: EngineState;
  memory: EngineMemory | null;
  fail: HiggsError | null;
  /** Called by the engine's supervisor. */
  restarted: () => void;
}

function machineModel(machine: Machine): ServingModel {
  const model = fakeModel({ frames: 10 });
  return {
    ...model,
    pid: 77,
    get state() {
      return machine.state;
    },
    memory: async () => machine.memory,
    speak: (request, options) => (machine.fail === null ? model.speak(request, options) : Promise.reject(machine.fail)),
  };
}

export interface Served {
  readonly machine: Machine;
  readonly url: string;
  readonly lines: () => string;
  /** Asks with the key unless told otherwise. */
  readonly ask: (path: string, key?: string | null) => Promise<{ status: number; text: string }>;
  readonly json: (path: string) => Promise<Record<string, unknown>>;
  readonly job: (input: Record<string, unknown>) => Promise<Record<string, unknown>>;
  readonly end: () => Promise<number>;
}

/** Asks a server, with the key unless told otherwise. */
export function askAt(url: string) {
  return async (path: string, key: string | null = KEY) => {
    const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(url + path, { headers });
    return { status: response.status, text: await response.text() };
  };
}

/** `higgs serve` with a model that hums. */
export async function serveHumming(env: Record<string, string> = {}): Promise<Served> {
  const machine: Machine = { state: "running", memory: MEMORY, fail: null, restarted: () => undefined };
  const home = scratchDir();
  const io = fakeIo({ env: { HIGGS_API_KEY: KEY, HIGGS_VOLUME_DIR: "/nowhere", HOME: home, ...env } });
  const ended = runServe({ host: "127.0.0.1", port: "0", settings: {} }, io, {
    loadModel: async () => fakeModel(),
    startEngine: async (_found, _config, { onRestart }) => {
      machine.restarted = onRestart ?? machine.restarted;
      return machineModel(machine);
    },
    loadRuntime: loadWorkerRuntime,
  });
  const end = () => {
    io.kill("SIGTERM");
    return ended;
  };
  onTestFinished(async () => void (await end()));
  const found = () => /listening on (http:[^\s"]+)/.exec(io.out())?.[1];
  await expect.poll(found).toBeDefined();
  const url = String(found());
  const ask = askAt(url);
  await expect.poll(async () => (await ask("/ping")).status).toBe(200);
  return {
    machine,
    url,
    lines: () => io.out() + io.err(),
    ask,
    json: async (path) => JSON.parse((await ask(path)).text) as Record<string, unknown>,
    job: async (input) => {
      const headers = { "content-type": "application/json", authorization: KEY };
      const body = JSON.stringify({ input: { transcript: "Hello.", ...input } });
      return (await (await fetch(`${url}/runsync`, { method: "POST", headers, body })).json()) as Record<
        string,
        unknown
      >;
    },
    end,
  };
}

/** The values of `/metrics` by series. */
export async function metricsOf({ ask }: Pick<Served, "ask">): Promise<Map<string, number>> {
  const { text } = await ask("/metrics");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}
