import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execPath, env as ownEnv } from "node:process";
import { startRestEmulator } from "runpod-deploy/emulator";
import { startEmulator } from "runpod-worker/emulator";
import { expect, it, onTestFinished } from "vitest";
import { runProgram } from "../src/program.ts";
import { fakeIo } from "../src/testing/fake-io.ts";
import { scratchDir } from "../src/testing/scratch.ts";

/**
 * From nothing to audio and back to nothing, on the emulated account: `higgs deploy` makes a real worker process run. And the
 * tests that RunPod's Hub would run.
 */

const MAIN = join(import.meta.dirname, "../src/main.ts");
const DEMO = join(import.meta.dirname, "../../../demo-checkpoint/checkpoint");
const API_KEY = "rpa_TESTKEY0123456789";

/** What the image is on RunPod: its command, a volume, and no GPU here. */
function workerCommand(env: Readonly<Record<string, string>>) {
  return {
    command: execPath,
    args: ["--import", "tsx", "--conditions=source", MAIN, "worker"],
    cwd: import.meta.dirname,
    env: {
      PATH: ownEnv["PATH"],
      HOME: "/dev/null/nowhere",
      RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
      RUNPOD_SKIP_GPU_CHECK: "true",
      ...env,
    },
  };
}

async function startAccount(volumeDir: string) {
  const serving = { workerCommand: () => workerCommand({ HIGGS_VOLUME_DIR: volumeDir }) };
  const emulator = await startRestEmulator({ apiKey: API_KEY, serving });
  onTestFinished(() => emulator.close());
  const higgs = async (...argv: string[]) => {
    const env = { RUNPOD_API_KEY: API_KEY, RUNPOD_API_BASE_URL: emulator.url };
    const io = fakeIo({ workingDirectory: volumeDir, env });
    return { exitCode: await runProgram(argv, io), out: io.out(), err: io.err() };
  };
  return { emulator, higgs };
}

it("a deployed endpoint speaks, is watched, and is gone after `down`", async () => {
  const volumeDir = scratchDir();
  cpSync(DEMO, join(volumeDir, "higgs_audio/bosonai/higgs-audio-v2-generation-3B-base"), { recursive: true });
  const { emulator, higgs } = await startAccount(volumeDir);
  expect(await higgs("volume", "create", "models", "--data-center", "EU-RO-1")).toMatchObject({ exitCode: 0 });
  const [volume] = emulator.account.volumes.values();
  const workerEnv = ["HIGGS_DEVICE=cpu", "HIGGS_THREADS=1"].flatMap((one) => ["--env", one]);
  const first = await higgs("deploy", "--image", "me/higgs:1", "--volume", "models", "--json", ...workerEnv);
  expect(first).toMatchObject({ exitCode: 0, err: "" });
  const { endpoint } = JSON.parse(first.out) as { endpoint: { id: string; requestUrls: Record<string, string> } };

  const platform = emulator.serving?.platformOf(endpoint.id);
  const spoken = await higgs(
    "speak",
    "The sun is warm.",
    "--endpoint",
    "higgs-audio",
    "--seed",
    "1",
    "--out",
    "sun.wav",
  );
  expect(spoken).toMatchObject({ exitCode: 0, err: expect.stringMatching(/^sun\.wav: \d/) as string });
  const audio = readFileSync(join(volumeDir, "sun.wav"));
  expect(audio.subarray(0, 4).toString("latin1")).toBe("RIFF");
  expect(audio.length).toBeGreaterThan(24_000);
  // What is wrong with a job is said in the worker's words.
  const refused = await higgs("speak", "The sun is warm.", "--endpoint", endpoint.id, "--ref-audio", "nobody");
  expect(refused).toMatchObject({ exitCode: 1, err: expect.stringMatching(/^VOICE_NOT_FOUND/) as string });

  const [worker] = platform?.fleet.list() ?? [];
  expect((await higgs("deploy", "status")).out).toContain(`${worker?.podId} IDLE`);
  expect((await higgs("deploy", "logs")).out).toMatch(new RegExp(`${worker?.podId}.*the engine is warm`));
  expect(await higgs("deploy", "--image", "me/higgs:1", "--volume", "models", ...workerEnv)).toMatchObject({
    exitCode: 0,
    out: expect.stringContaining("unchanged") as string,
  });

  expect((await higgs("deploy", "down", "--with-volumes")).out).toContain(volume?.id);
  const { endpoints, templates, volumes, pods } = emulator.account;
  expect([endpoints.size, templates.size, volumes.size, pods.size]).toEqual([0, 0, 0, 0]);
  await expect(worker?.exited).resolves.toBeDefined();
  await expect(fetch(endpoint.requestUrls["health"] ?? "")).rejects.toThrow("fetch failed");
});

it("the tests of RunPod's Hub pass in its environment, with the demo checkpoint", async () => {
  const emulator = await startEmulator({ workerKey: null });
  onTestFinished(() => emulator.close());
  const file = readFileSync(join(import.meta.dirname, "../../../.runpod/tests.json"), "utf8");
  const { tests, config } = JSON.parse(file) as { tests: { input: object }[]; config: { env: { key: string }[] } };
  // In the image, the repository is at /app.
  expect(config.env).toEqual([{ key: "HIGGS_MODEL_PATH", value: "/app/demo-checkpoint/checkpoint" }]);
  const env = { HIGGS_MODEL_PATH: DEMO, HIGGS_VOLUME_DIR: "/nowhere", HIGGS_DEVICE: "cpu", HIGGS_THREADS: "1" };
  const worker = emulator.spawn(workerCommand(env), { preset: "hub" });
  for (const { input } of tests) {
    const { status, error, output } = await emulator.result(emulator.submit({ input }), 240_000);
    expect({ status, error }).toEqual({ status: "COMPLETED", error: undefined });
    expect(output).toMatchObject({ success: true, audio_base64: expect.stringMatching(/^UklGR/) as string });
  }
  // A command that ends fails the Hub's tests too.
  expect(worker.exit).toBeUndefined();
});
