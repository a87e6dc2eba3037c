import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { demoOptions, speechRequest } from "../speech/testing/demo-model.ts";
import { findProcessEntry } from "../process/process-entry.ts";
import { type EngineHostOptions, type EngineProcess, startEngineProcess } from "./engine-process.ts";

const LONG = { transcript: "The sun is warm and the sky is blue. ".repeat(4), maxNewTokens: 300 };
const QUICK = { firstDelayMs: 1, maxDelayMs: 1 };

async function start(host: EngineHostOptions = {}, options: { readonly slots?: number } = {}) {
  const logs: string[] = [];
  const model = await startEngineProcess({
    ...demoOptions(),
    ...options,
    log: (level, message) => void logs.push(`${level}: ${message}`),
    host: { restart: QUICK, ...host },
  });
  onTestFinished(() => model[Symbol.asyncDispose]());
  return { model, logs };
}

function kill({ pid }: EngineProcess, signal: NodeJS.Signals = "SIGKILL"): void {
  if (pid === null) throw new Error("no process runs");
  process.kill(pid, signal);
}

/** Starts a long request and ends the process while it speaks. */
async function speakAndKill(model: EngineProcess, signal: NodeJS.Signals): Promise<unknown> {
  const speaking = model.speak(speechRequest(LONG), { onProgress: () => kill(model, signal) });
  return speaking.catch((error: unknown) => error);
}

describe("an engine whose process ends", () => {
  it.each(["SIGKILL", "SIGABRT"] as const)(
    "by %s fails what ran with ENGINE_CRASHED and speaks again",
    async (signal) => {
      let restarts = 0;
      const { model, logs } = await start({ onRestart: () => (restarts += 1) });
      const expected = await model.speak(speechRequest());
      const { pid } = model;
      expect(restarts).toBe(0);
      expect(await speakAndKill(model, signal)).toMatchObject({
        code: "ENGINE_CRASHED",
        message: `Cannot finish the speech: the engine's process ended (got ${signal})`,
      });
      expect(model.state).toBe("starting");
      expect(await model.memory()).toBeNull();
      // A request that comes meanwhile waits for the next process.
      expect((await model.speak(speechRequest())).codes).toEqual(expected.codes);
      expect([model.state, restarts]).toEqual(["running", 1]);
      expect(model.pid).not.toBe(pid);
      expect(logs).toContainEqual(expect.stringMatching(new RegExp(`^error: The engine's process ended: ${signal}`)));
    },
  );

  it("because the system ended it for want of memory goes on with half of the slots, once, and says so", async () => {
    let kills = 7;
    const { model, logs } = await start({ countMemoryKills: () => kills }, { slots: 4 });
    expect(model.slots).toBe(4);
    const expected = await model.speak(speechRequest(LONG));
    const endOnce = (): (() => void) => {
      const { pid } = model;
      return () => {
        if (model.pid !== pid) return;
        kills += 1;
        kill(model, "SIGKILL");
      };
    };
    // What was running is spoken by the next process.
    const [first, second] = await Promise.all([
      model.speak(speechRequest(LONG), { onProgress: endOnce() }),
      model.speak(speechRequest()),
    ]);
    expect(first.codes).toEqual(expected.codes);
    expect(second.audioFrames).toBe(11);
    expect(model.slots).toBe(2);
    const said = (): string[] => logs.filter((line) => line.startsWith("warn: Memory ran out"));
    expect(said()).toEqual([
      expect.stringMatching(/^warn: Memory ran out, going on with 2 slots \(half of them\): SIGKILL because memory/u),
    ]);
    await expect(model.speak(speechRequest(LONG), { onProgress: endOnce() })).rejects.toMatchObject({
      code: "ENGINE_CRASHED",
      message: "Cannot finish the speech: the engine's process ended (got SIGKILL because memory ran out)",
    });
    await model.speak(speechRequest());
    expect([model.slots, said().length]).toEqual([2, 1]);
  });

  it("for want of memory fails a request whose audio is heard already", async () => {
    let kills = 0;
    const { model } = await start({ countMemoryKills: () => kills }, { slots: 2 });
    const onAudio = (): void => {
      kills += 1;
      kill(model, "SIGKILL");
    };
    await expect(model.speak(speechRequest(LONG), { onAudio })).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    await model.speak(speechRequest());
    expect(model.slots).toBe(1);
  });

  it("by a signal while others were ended for want of memory keeps its slots when that signal was its own", async () => {
    let kills = 0;
    const { model } = await start({ countMemoryKills: () => kills++, abortTimeoutMs: 50 }, { slots: 4 });
    expect(await speakAndKill(model, "SIGABRT")).toMatchObject({ code: "ENGINE_CRASHED" });
    await model.speak(speechRequest());
    expect(model.slots).toBe(4);
  });

  it("tells what its process and the device hold, also while it speaks", async () => {
    const { model } = await start();
    const told: (typeof idle)[] = [];
    const idle = await model.memory();
    const speaking = model.speak(speechRequest(LONG), {
      onProgress: () => void model.memory().then((now) => told.push(now)),
    });
    const { prefixes } = await speaking;
    expect(prefixes).toEqual({ hits: 0, misses: 1 });
    expect((await model.speak(speechRequest())).prefixes).toEqual({ hits: 1, misses: 0 });
    await expect.poll(() => told.length).toBeGreaterThan(0);
    for (const memory of [idle, ...told]) {
      expect(memory).toEqual({
        residentBytes: expect.any(Number),
        deviceFreeBytes: expect.any(Number),
        deviceTotalBytes: expect.any(Number),
      });
      expect(memory?.residentBytes).toBeGreaterThan(25e6);
      expect(memory?.deviceTotalBytes).toBeGreaterThan(memory?.deviceFreeBytes ?? Infinity);
    }
  });

  it("because it did not obey an abort speaks again", async () => {
    const { model } = await start({ abortTimeoutMs: 50 });
    const controller = new AbortController();
    const speaking = model.speak(speechRequest(LONG), {
      signal: controller.signal,
      onProgress: () => {
        kill(model, "SIGSTOP");
        controller.abort();
      },
    });
    await expect(speaking).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
    expect((await model.speak(speechRequest())).audioFrames).toBe(11);
  });

  it("gives up after too many ends, says so once, and refuses everything", async () => {
    const failures: unknown[] = [];
    const { model } = await start({
      restart: { ...QUICK, maxCrashes: 1 },
      onGiveUp: (error) => void failures.push(error),
    });
    expect(await speakAndKill(model, "SIGKILL")).toMatchObject({ code: "ENGINE_CRASHED" });
    expect(await speakAndKill(model, "SIGKILL")).toMatchObject({ code: "ENGINE_CRASHED" });
    const refused = { code: "DEVICE_UNAVAILABLE", message: expect.stringContaining("keeps ending") };
    await expect(model.speak(speechRequest())).rejects.toMatchObject(refused);
    await expect(model.speak(speechRequest())).rejects.toMatchObject(refused);
    expect(failures).toEqual([expect.objectContaining(refused)]);
    expect(model.state).toBe("failed");
  });

  it("a request that waits for the restart can be cancelled, and disposal does not wait for it", async () => {
    const { model } = await start({ restart: { firstDelayMs: 60_000, maxDelayMs: 60_000 } });
    expect(await speakAndKill(model, "SIGKILL")).toMatchObject({ code: "ENGINE_CRASHED" });
    const signal = AbortSignal.timeout(20);
    await expect(model.speak(speechRequest(), { signal })).rejects.toMatchObject({ code: "CANCELLED" });
    const waiting = model.speak(speechRequest());
    await model[Symbol.asyncDispose]();
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("the start of the process", () => {
  it("that hangs is given up", async () => {
    const starting = startEngineProcess({ ...demoOptions(), host: { startTimeoutMs: 5 } });
    await expect(starting).rejects.toMatchObject({ code: "DEVICE_UNAVAILABLE" });
  });

  it("reports how far loading is", async () => {
    const shares: number[] = [];
    const options = { ...demoOptions(), onProgress: ({ share }: { share: number }) => void shares.push(share) };
    await using model = await startEngineProcess(options);
    expect(model.state).toBe("running");
    expect(shares.at(-1)).toBe(1);
  });

  it("that the system ends for want of memory is made once more, with half of the slots that were planned", async () => {
    let kills = 0;
    let isEnded = false;
    const logs: string[] = [];
    await using model = await startEngineProcess({
      ...demoOptions(),
      slots: "auto",
      log: (level, message) => void logs.push(`${level}: ${message}`),
      onProgress: () => {
        if (isEnded) return;
        isEnded = true;
        kills += 1;
        for (const pid of engineProcesses()) process.kill(pid, "SIGKILL");
      },
      host: { countMemoryKills: () => kills },
    });
    expect([isEnded, model.slots]).toEqual([true, 2]);
    expect(logs.join("\n")).toContain("going on with 2 slots (half of them): SIGKILL because memory ran out");
    expect((await model.speak(speechRequest())).audioFrames).toBe(11);
  });
});

it("the process ends with the one that started it, however that ends", async () => {
  const { execArgv } = findProcessEntry(import.meta.dirname, "engine-process-main");
  const host = pathToFileURL(join(import.meta.dirname, "engine-process.ts")).href;
  const script = `
    const { startEngineProcess } = await import(${JSON.stringify(host)});
    const model = await startEngineProcess(${JSON.stringify(demoOptions())});
    console.log(model.pid);
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, [...execArgv, "--input-type=module", "--eval", script]);
  const [line] = (await once(createInterface({ input: parent.stdout }), "line")) as [string];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await expect.poll(() => isAlive(pid)).toBe(false);
});

/** Those that this process has started. */
function engineProcesses(): number[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  const rows = lines.map((line) => /^ *(\d+) +(\d+) .*engine-process-main/u.exec(line) ?? []);
  return rows.filter(([, , parent]) => Number(parent) === process.pid).map(([, pid]) => Number(pid));
}

/** A process that has ended and was not waited for counts as gone. */
function isAlive(pid: number): boolean {
  try {
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
  } catch {
    return false;
  }
}
