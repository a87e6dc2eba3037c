import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { startRestEmulator } from "runpod-deploy/emulator";
import { startEmulator } from "runpod-worker/emulator";
import { expect, it, onTestFinished } from "vitest";
import { runProgram } from "../program.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { scratchDir } from "../testing/scratch.ts";

const API_KEY = "rpa_TESTKEY0123456789";
const AUDIO = Buffer.from("RIFF audio");

/** An account with one endpoint, whose queue nobody serves unless a test does. */
async function startEndpoint(type: "QUEUE" | "LOAD_BALANCER" = "QUEUE") {
  const platform = await startEmulator({ apiKey: API_KEY, endpointId: "ep1" });
  onTestFinished(() => platform.close());
  const account = await startRestEmulator({ apiKey: API_KEY });
  onTestFinished(() => account.close());
  const endpoint = account.account.createEndpoint({
    name: "higgs",
    type,
    image: "me/higgs:1",
    gpu: { pools: ["ADA_24"], count: 1 },
    scaling: { type: "REQUEST_COUNT", requestCount: 1 },
  });
  account.account.endpoints.clear();
  const requestUrls = type === "QUEUE" ? { run: `${platform.url}/v2/ep1/run` } : { base: "https://ep1.api.runpod.ai" };
  account.account.endpoints.set("ep1", { ...endpoint, id: "ep1", requestUrls });
  const workingDirectory = scratchDir();
  const io = fakeIo({ workingDirectory, env: { RUNPOD_API_KEY: API_KEY, RUNPOD_API_BASE_URL: account.url } });
  const speak = (...flags: string[]) => runProgram(["speak", "The sun is warm.", "--endpoint", "higgs", ...flags], io);
  return { platform, io, speak, file: () => readFileSync(join(workingDirectory, "speech.wav")) };
}

const OUTPUT = {
  success: true,
  duration_seconds: 1.5,
  audio_base64: null,
  download_url: null,
  audio_url: "s3://b/k.wav",
};

/** Does the next job as a worker does, with this result. */
async function finishNextJob(platform: Awaited<ReturnType<typeof startEmulator>>, result: object) {
  const {
    RUNPOD_WEBHOOK_GET_JOB: take = "",
    RUNPOD_WEBHOOK_POST_OUTPUT: done = "",
    RUNPOD_AI_API_KEY: key = "",
  } = platform.environment();
  const headers = { authorization: key };
  const job = (await (await fetch(take.replace("$ID", "emulated-worker"), { headers })).json()) as {
    id: string;
    input: unknown;
  };
  const url = done.replace("$RUNPOD_POD_ID", "emulated-worker").replace("$ID", job.id);
  await fetch(url, { method: "POST", headers, body: JSON.stringify(result) });
  return job;
}

it("audio in the result is written to the file", async () => {
  const { platform, io, speak, file } = await startEndpoint();
  const ended = speak("--seed", "7", "--temperature", "0.3");
  const job = await finishNextJob(platform, { output: { ...OUTPUT, audio_base64: AUDIO.toString("base64") } });
  expect(job.input).toEqual({ transcript: "The sun is warm.", seed: 7, temperature: 0.3 });
  expect([await ended, io.err()]).toEqual([0, "speech.wav: 1.50 s\n"]);
  expect(file()).toEqual(AUDIO);
});

it("the name of the file says the format that the worker is asked for", async () => {
  const { platform, speak } = await startEndpoint();
  const ended = speak("--out", "sun.mp3");
  const job = await finishNextJob(platform, { output: { ...OUTPUT, audio_base64: AUDIO.toString("base64") } });
  expect(job.input).toEqual({ transcript: "The sun is warm.", output_format: "mp3" });
  expect(await ended).toBe(0);
});

it("audio in a bucket is downloaded", async () => {
  const { platform, speak, file } = await startEndpoint();
  const server = createServer((_request, response) => response.end(AUDIO)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const ended = speak();
  await finishNextJob(platform, { output: { ...OUTPUT, download_url: `http://127.0.0.1:${port}/k.wav` } });
  expect(await ended).toBe(0);
  expect(file()).toEqual(AUDIO);
});

it("audio without a public address is not lost silently", async () => {
  const { platform, io, speak } = await startEndpoint();
  const ended = speak();
  await finishNextJob(platform, { output: OUTPUT });
  expect([await ended, io.err()]).toEqual([1, expect.stringMatching(/^RUNPOD_REFUSED.*s3:\/\/b\/k\.wav/)]);
});

it("a failed job says the worker's words", async () => {
  const { platform, io, speak } = await startEndpoint();
  const ended = speak("--json");
  await finishNextJob(platform, { error: "MODEL_NOT_FOUND: Cannot find the model: nowhere" });
  expect(await ended).toBe(1);
  expect(JSON.parse(io.out())).toMatchObject({
    output: null,
    error: expect.stringMatching(/^MODEL_NOT_FOUND/) as string,
  });
});

it("an interruption cancels the job", async () => {
  const { platform, io, speak } = await startEndpoint();
  const ended = speak();
  await expect.poll(() => platform.queue.queued.length).toBe(1);
  const [job] = platform.queue.queued;
  io.kill("SIGINT");
  expect(await ended).toBe(1);
  expect(job?.status).toBe("CANCELLED");
});

it.each([
  ["QUEUE", ["--endpoint", "other"], "the account has none with this name or id"],
  ["LOAD_BALANCER", [], "behind a load balancer: use its own routes at https://ep1.api.runpod.ai"],
] as const)("a %s endpoint with %j says why not", async (type, flags, reason) => {
  const { io, speak } = await startEndpoint(type);
  expect([await speak(...flags), io.err()]).toEqual([1, expect.stringContaining(reason)]);
});
