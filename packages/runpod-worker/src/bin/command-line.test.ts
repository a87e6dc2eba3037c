import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { afterEach, describe, expect, it } from "vitest";
import { runCommand } from "./command-line.ts";

const stops: AbortController[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

function run(args: readonly string[]) {
  const stop = new AbortController();
  stops.push(stop);
  const written = { out: "", error: "" };
  const exitCode = runCommand(args, {
    env: { PATH: process.env["PATH"] },
    signal: stop.signal,
    writeOut: (text) => (written.out += text),
    writeError: (text) => (written.error += text),
  });
  return { exitCode, written, stop: () => stop.abort() };
}

const WORKER = `
  const { env } = process;
  const headers = { authorization: env.RUNPOD_AI_API_KEY };
  for (;;) {
    const answer = await fetch(env.RUNPOD_WEBHOOK_GET_JOB.replace("$ID", env.RUNPOD_POD_ID), { headers });
    if (answer.status !== 200) continue;
    const job = await answer.json();
    console.log("working");
    const url = env.RUNPOD_WEBHOOK_POST_OUTPUT.replace("$RUNPOD_POD_ID", env.RUNPOD_POD_ID).replace("$ID", job.id);
    const body = JSON.stringify(job.input === "bad" ? { error: "no" } : { output: job.input });
    await fetch(url, { method: "POST", headers, body });
    if (job.input === "twice") await fetch(url, { method: "POST", headers, body });
  }
`;
const COMMAND = ["--", execPath, "--input-type=module", "-e", WORKER];

describe("runpod-worker emulate", () => {
  it("runs jobs with a worker and prints their results; 0 if all are completed", async () => {
    const { exitCode, written } = run(["emulate", "--port=0", '--job={"input":1}', '--job={"input":[2]}', ...COMMAND]);
    expect(await exitCode).toBe(0);
    const results = written.out.trim().split("\n");
    expect(results.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { status: "COMPLETED", output: 1 },
      { status: "COMPLETED", output: [2] },
    ]);
    expect(written.error).toContain("worker | working");
  });

  it("ends with 1 if a job failed, or if the protocol was broken and that counts", async () => {
    const failed = run(["emulate", "--port=0", "--quiet", '--job={"input":"bad"}', ...COMMAND]);
    expect(await failed.exitCode).toBe(1);
    expect(failed.written.error).not.toContain("working");
    const jobs = ['--job={"input":"twice"}', '--job={"input":3}'];
    const broken = run(["emulate", "--port=0", "--fail-on-violations", ...jobs, ...COMMAND]);
    expect(await broken.exitCode).toBe(1);
    expect(broken.written.error).toContain("violation: result-after-result (1)");
  });

  it("ends with 1 if jobs take too long", async () => {
    const { exitCode, written } = run(["emulate", "--port=0", "--job-timeout=100", '--job={"input":1}']);
    expect(await exitCode).toBe(1);
    expect(written.error).toContain("IN_QUEUE");
  });

  it("prints the environment for a worker of one's own, records requests, and ends with 0 when stopped", async () => {
    const folder = await mkdtemp(join(tmpdir(), "emulate-"));
    folders.push(folder);
    const record = join(folder, "requests.jsonl");
    const faults = JSON.stringify([{ route: "ping", action: { kind: "respond", status: 418 } }]);
    const { exitCode, written, stop } = run([
      "emulate",
      "--port=0",
      "--preset=hub",
      "--faults",
      faults,
      "--record",
      record,
    ]);
    await expect.poll(() => written.out).toContain("RUNPOD_WEBHOOK_POST_OUTPUT");
    const take = /RUNPOD_WEBHOOK_GET_JOB='(.*)'/.exec(written.out)?.[1] ?? "";
    expect(take).toMatch(/\/v2\/IDE\/job-take\/\$RUNPOD_POD_ID$/);
    const ping = take.replace("job-take", "ping");
    expect((await fetch(ping)).status).toBe(418);
    stop();
    expect(await exitCode).toBe(0);
    await expect.poll(() => readFile(record, "utf8")).toContain('"route":"ping"');
  });

  it.each([
    [["emulate", "--port", "many"], "whole number"],
    [["emulate", "--preset", "moon"], "Allowed choices"],
    [["emulate", "--clock-scale", "0"], "above 0"],
    [["emulate", "--job", "{}"], "no input"],
    [["emulate", "--faults", '{"route":"moon"}'], "action.kind"],
    [["simulate"], "unknown command"],
  ])("%j is a usage error", async (args, message) => {
    const { exitCode, written } = run(args);
    expect(await exitCode).toBe(2);
    expect(written.error).toContain(message);
  });

  it("explains itself", async () => {
    const { exitCode, written } = run(["emulate", "--help"]);
    expect(await exitCode).toBe(0);
    expect(written.out).toContain("python handler.py");
  });
});
