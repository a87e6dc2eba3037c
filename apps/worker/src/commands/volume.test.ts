import { execPath } from "node:process";
import { startRestEmulator, type StoredPod } from "runpod-deploy/emulator";
import { expect, it, onTestFinished } from "vitest";
import { runProgram } from "../program.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { startS3Stub } from "../testing/s3-stub.ts";
import { scratchDir, writeBelow } from "../testing/scratch.ts";
import { runVolumeFillHere } from "./volume-fill.ts";

const API_KEY = "rpa_TESTKEY0123456789";

/** An account; its pods run this JavaScript. */
async function startAccount(podScript = "") {
  const seen: StoredPod[] = [];
  const podCommand = (pod: StoredPod) => {
    seen.push(pod);
    return { command: execPath, args: ["-e", podScript], env: {} };
  };
  const serving = { workerCommand: () => ({ command: execPath, env: {} }), podCommand };
  const emulator = await startRestEmulator({
    apiKey: API_KEY,
    dataCenters: ["EU-RO-1", "US-KS-2", "eu-test-1"],
    serving,
  });
  onTestFinished(() => emulator.close());
  const start = (line: string, env: Readonly<Record<string, string>> = {}) => {
    const own = { RUNPOD_API_KEY: API_KEY, RUNPOD_API_BASE_URL: emulator.url };
    const io = fakeIo({ workingDirectory: scratchDir(), env: { ...own, HOME: "/nowhere", ...env } });
    return { io, ended: runProgram(line.split(" "), io) };
  };
  const higgs = async (line: string, env: Readonly<Record<string, string>> = {}) => {
    const { io, ended } = start(line, env);
    return { exitCode: await ended, out: io.out(), err: io.err() };
  };
  return { emulator, higgs, start, pods: seen, volumes: () => [...emulator.account.volumes.values()] };
}

const CREATE = "volume create models --data-center EU-RO-1";
const FORWARD = "setInterval(() => {}, 1000)";

it("a volume is created once, grows, is listed, and is deleted only by who is sure", async () => {
  const { higgs, volumes, emulator } = await startAccount();
  expect((await higgs(CREATE)).out).toMatch(/^models \(\w+\): created, 30 GB in EU-RO-1\n/);
  expect((await higgs(CREATE)).out).toContain("unchanged");
  expect((await higgs(`${CREATE} --size 50`)).out).toContain("grown, 50 GB");
  expect((await higgs(CREATE)).out).toContain("unchanged, 50 GB");
  expect(volumes()).toMatchObject([{ name: "models", size: 50, dataCenter: "EU-RO-1" }]);
  expect((await higgs("volume list")).out).toMatch(/models\s+\w+\s+50 GB\s+EU-RO-1/);
  expect(await higgs("volume create models --data-center US-KS-2")).toMatchObject({
    exitCode: 2,
    err: expect.stringContaining("models is in EU-RO-1") as string,
  });
  expect(await higgs("volume delete models")).toMatchObject({
    exitCode: 2,
    err: expect.stringContaining("say --yes") as string,
  });
  expect((await higgs("volume delete models --yes")).exitCode).toBe(0);
  expect(volumes()).toEqual([]);
  expect(emulator.writes).toEqual(expect.arrayContaining([expect.stringMatching(/^DELETE/)]) as string[]);
});

it("a volume whose creation was not answered is not created again", async () => {
  const { higgs, volumes, emulator } = await startAccount();
  emulator.faults.add({ method: "POST", action: { kind: "reset" }, isAfter: true });
  expect((await higgs(CREATE)).out).toContain("created");
  expect(volumes()).toHaveLength(1);
});

it("a pod in the volume's data center downloads the model, and goes away", async () => {
  const { higgs, emulator, pods } = await startAccount(
    `console.log("12 %"); console.log("higgs volume fill: done"); ${FORWARD}`,
  );
  const env = { HF_TOKEN: "hf_SECRET" };
  const { exitCode, out, err } = await higgs(`${CREATE} --fill --pod --image me/higgs:1`, env);
  expect([exitCode, out]).toEqual([0, expect.stringMatching(/created.*\n.*has the model\.\n$/s)]);
  expect(err).toContain("12 %");
  expect(out + err).not.toContain("hf_SECRET");
  const [volume] = emulator.account.volumes.values();
  expect(pods).toMatchObject([
    {
      image: "me/higgs:1",
      args: "volume fill-here",
      dataCenterIds: ["EU-RO-1"],
      mounts: { network: [{ volumeId: volume?.id, path: "/runpod-volume" }] },
      env: { HF_TOKEN: "hf_SECRET", HIGGS_VOLUME_DIR: "/runpod-volume" },
    },
  ]);
  expect(emulator.account.pods.size).toBe(0);
});

it("a download that fails on the pod fails here, with its log, and the pod goes away", async () => {
  const script = `console.log("MODEL_NOT_FOUND: no network"); console.log("higgs volume fill: failed with exit code 1"); ${FORWARD}`;
  const { higgs, emulator } = await startAccount(script);
  await higgs(CREATE);
  const { exitCode, err } = await higgs("volume fill models --pod --image me/higgs:1");
  expect(exitCode).toBe(1);
  expect(err).toMatch(/no network[^]*Cannot fill the network volume: with exit code 1/);
  expect(emulator.account.pods.size).toBe(0);
});

it("an interruption leaves no pod that costs money", async () => {
  const { higgs, start, emulator } = await startAccount(`console.log("begun"); ${FORWARD}`);
  await higgs(CREATE);
  const { io, ended } = start("volume fill models --pod --image me/higgs:1");
  await expect.poll(() => io.err()).toContain("begun");
  io.kill("SIGINT");
  expect(await ended).toBe(1);
  expect(emulator.account.pods.size).toBe(0);
});

it("a pod that was left behind is taken over, and the next kind of machine is tried where none is free", async () => {
  const script = `console.log("higgs volume fill: done"); ${FORWARD}`;
  const { higgs, emulator, pods } = await startAccount(script);
  await higgs(CREATE);
  const action = { kind: "answer", status: 400, detail: "no instances available" } as const;
  emulator.faults.add({ method: "POST", path: /pods$/, action });
  emulator.faults.add({ method: "DELETE", path: /pods/, action: { kind: "answer", status: 403 } });
  const fill = "volume fill models --pod --image me/higgs:1";
  expect((await higgs(fill)).err).toContain("costs money: delete it in RunPod's console");
  expect(pods).toMatchObject([{ cpu: { id: "cpu5c" } }]);
  emulator.faults.clear();
  expect((await higgs(fill)).exitCode).toBe(0);
  expect([pods.length, emulator.account.pods.size]).toEqual([1, 0]);
});

it("the model of this machine is copied where workers look for it", async () => {
  const { higgs, emulator } = await startAccount();
  await higgs("volume create models --data-center eu-test-1");
  const [volume] = emulator.account.volumes.values();
  const store = await startS3Stub({ bucket: volume?.id ?? "" });
  const model = scratchDir();
  writeBelow(model, "config.json", "{}");
  const tokenizer = scratchDir();
  writeBelow(tokenizer, "config.json", "{}");
  const env = {
    RUNPOD_S3_ACCESS_KEY_ID: store.key.accessKeyId,
    RUNPOD_S3_SECRET_ACCESS_KEY: store.key.secretAccessKey,
    RUNPOD_S3_ENDPOINT_URL: store.url,
  };
  const { exitCode, out } = await higgs(`volume fill models --model ${model} --tokenizer ${tokenizer}`, env);
  expect([exitCode, out]).toEqual([0, expect.stringContaining("2 files copied")]);
  const base = "higgs_audio/bosonai";
  expect([...store.objects.keys()]).toEqual([
    `${base}/higgs-audio-v2-tokenizer/config.json`,
    `${base}/higgs-audio-v2-generation-3B-base/config.json`,
  ]);
});

it.each([
  ["volume fill models --pod", "--pod needs --image"],
  [`${CREATE} --fill --pod`, "--pod needs --image"],
  ["volume fill nothing --pod --image me/higgs:1", "the account has none with this name or id"],
  [`${CREATE} --size 9`, "Allowed are whole numbers 10 … 4096"],
])("%s is wrong usage and changes nothing", async (line, reason) => {
  const { higgs, emulator } = await startAccount();
  const { exitCode, err } = await higgs(line);
  expect([exitCode, err]).toEqual([2, expect.stringContaining(reason)]);
  expect(emulator.writes).toEqual([]);
});

it("without a model on this machine, says where it was looked for", async () => {
  const { higgs } = await startAccount();
  await higgs(CREATE);
  const { exitCode, err } = await higgs("volume fill models", { HIGGS_VOLUME_DIR: "/nowhere" });
  expect([exitCode, err]).toEqual([1, expect.stringMatching(/^MODEL_NOT_FOUND/)]);
});

it.each([
  [0, "higgs volume fill: done\n"],
  [1, "higgs volume fill: failed with exit code 1\n"],
])(
  "on the pod, a download that ends with %i is told once, and the container does not end by itself",
  async (code, line) => {
    const io = fakeIo();
    const ended = runVolumeFillHere(async () => code, io);
    await expect.poll(() => io.out()).toBe(line);
    io.kill("SIGTERM");
    expect(await ended).toBe(code);
  },
);
