import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startRestEmulator, type RestEmulatorOptions } from "runpod-deploy/emulator";
import { describe, expect, it, onTestFinished } from "vitest";
import { runProgram } from "../program.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { scratchDir } from "../testing/scratch.ts";

const API_KEY = "rpa_TESTKEY0123456789";
const SECRET = "sEcReTvAlUe0123456789";

/** An emulated account, and `higgs` on a machine with these variables and this `.env`. */
async function startAccount({ dotEnv, ...options }: Partial<RestEmulatorOptions> & { readonly dotEnv?: string } = {}) {
  const emulator = await startRestEmulator({ apiKey: API_KEY, ...options });
  onTestFinished(() => emulator.close());
  const workingDirectory = scratchDir();
  if (dotEnv !== undefined) writeFileSync(join(workingDirectory, ".env"), dotEnv);
  const higgs = async (line: string, env: Readonly<Record<string, string>> = { RUNPOD_API_KEY: API_KEY }) => {
    const io = fakeIo({ workingDirectory, env: { RUNPOD_API_BASE_URL: emulator.url, ...env } });
    const argv = line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", "")) ?? [];
    const exitCode = await runProgram(argv, io);
    return { exitCode, out: io.out(), err: io.err() };
  };
  return { emulator, higgs, workingDirectory, endpoints: () => [...emulator.account.endpoints.values()] };
}

const DEPLOY = "deploy --image me/higgs:1";

describe("higgs deploy", () => {
  it("creates, changes nothing the second time, updates, shows and deletes", async () => {
    const { emulator, higgs, endpoints } = await startAccount();
    emulator.account.createVolume({ name: "models", size: 30, dataCenter: "EU-RO-1" });
    const first = await higgs(`${DEPLOY} --volume models --gpu 4090 --workers-max 2 --env S3_BUCKET=audio`);
    expect(first).toMatchObject({ exitCode: 0, err: "" });
    expect(first.out).toMatch(/^higgs-audio \(\w+\): created\n/);
    expect(endpoints()).toMatchObject([
      { dataCenterIds: ["EU-RO-1"], gpu: { pools: ["ADA_24"], count: 1, minCudaVersion: "12.4" }, workers: { max: 2 } },
    ]);
    emulator.requests.length = 0;
    expect((await higgs(`${DEPLOY} --volume models --gpu 4090 --workers-max 2 --env S3_BUCKET=audio`)).out).toContain(
      "unchanged",
    );
    expect(emulator.writes).toEqual([]);
    const second = await higgs("deploy --image me/higgs:2 --timeout 900");
    expect(second.out).toContain("updated\n  image: me/higgs:1 → me/higgs:2\n  timeout: 600000 → 900000\n");
    const status = await higgs("deploy status");
    expect(status.out).toMatch(/Image\s+me\/higgs:2\n/);
    expect(status.out).toMatch(/Variables\s+S3_BUCKET=audio\n/);
    expect(await higgs("deploy down --with-volumes")).toMatchObject({ exitCode: 0 });
    const { account } = emulator;
    expect([account.endpoints.size, account.templates.size, account.volumes.size]).toEqual([0, 0, 0]);
    expect((await higgs("deploy status")).exitCode).toBe(1);
  });

  it.each(["--name", "--id"])("down with an empty %s deletes nothing", async (flag) => {
    const { emulator, higgs, endpoints } = await startAccount();
    await higgs(DEPLOY);
    emulator.requests.length = 0;
    expect(await higgs(`deploy down ${flag} ''`)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining(`${flag} is empty`),
    });
    expect(await higgs(`deploy --image ''`)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("--image is empty"),
    });
    expect([endpoints().length, emulator.requests]).toEqual([1, []]);
  });

  it("a line of .env that is not a variable does not hide the next one", async () => {
    const dotEnv = `just a note\nanother\nexport RUNPOD_API_KEY=${API_KEY}\nnote\r\nS3_BUCKET=from-file\n`;
    const { higgs, endpoints } = await startAccount({ dotEnv });
    expect(await higgs(`${DEPLOY} --env S3_BUCKET`, {})).toMatchObject({ exitCode: 0 });
    expect(endpoints()).toHaveLength(1);
    expect((await higgs("deploy status", {})).out).toContain("S3_BUCKET=from-file");
  });

  it("without a key says one thing, and asks nobody", async () => {
    const { emulator, higgs } = await startAccount();
    for (const line of [DEPLOY, "deploy status", "deploy logs", "deploy down"]) {
      const { exitCode, err, out } = await higgs(line, {});
      expect([exitCode, out]).toEqual([1, ""]);
      expect(err).toMatch(
        /^RUNPOD_NOT_CONFIGURED: Cannot talk to RunPod: RUNPOD_API_KEY is not set, also not in \.env\n/,
      );
    }
    expect(emulator.requests).toEqual([]);
  });

  it("takes the key and secrets from .env, which the environment overrides, and never shows them", async () => {
    const dotEnv = `RUNPOD_API_KEY="${API_KEY}"\nexport AWS_SECRET_ACCESS_KEY='${SECRET}' # of the bucket\nS3_BUCKET=from-file\n`;
    const { higgs, endpoints } = await startAccount({ dotEnv });
    const line = `${DEPLOY} --env AWS_SECRET_ACCESS_KEY --env S3_BUCKET --env MY_OWN=${SECRET}`;
    const env = { S3_BUCKET: "from-environment" };
    const shown = [
      await higgs(`${line} --dry-run`, env),
      await higgs(`${line} --dry-run --json`, env),
      await higgs(`${line} --json`, env),
      await higgs("deploy status", env),
      await higgs("deploy status --json", env),
      await higgs(`${DEPLOY} --env MY_OWN=other --env AWS_SECRET_ACCESS_KEY`, { AWS_SECRET_ACCESS_KEY: "other" }),
    ];
    for (const { exitCode, out, err } of shown) {
      expect(exitCode).toBe(0);
      expect(out + err).not.toMatch(new RegExp(`${API_KEY}|${SECRET}`));
    }
    expect(shown[0]?.out).toContain('"AWS_SECRET_ACCESS_KEY": "***"');
    expect(shown[5]?.out).toContain("env.AWS_SECRET_ACCESS_KEY: *** → ***");
    expect(endpoints()[0]?.env).toMatchObject({ S3_BUCKET: "from-environment", AWS_SECRET_ACCESS_KEY: "other" });
  });

  it("a dry run with a key prints what deploying sends, without one what a first deployment sends", async () => {
    const { emulator, higgs } = await startAccount();
    const line = `${DEPLOY} --dry-run --json --gpu L4`;
    const withKey = JSON.parse((await higgs(line)).out) as { requests: unknown };
    const without = JSON.parse((await higgs(line, {})).out) as { requests: unknown };
    expect(withKey.requests).toEqual(without.requests);
    expect(emulator.writes).toEqual([]);
    await higgs(`${DEPLOY} --gpu L4`);
    const sent = emulator.requests.filter(({ method }) => method === "POST");
    const templateId = [...emulator.account.templates.keys()][0];
    expect(JSON.stringify(withKey.requests).replace("(id of the template)", templateId ?? "")).toBe(
      JSON.stringify(sent.map(({ method, path, body }) => ({ method, url: `${emulator.url}${path}`, body }))),
    );
  });

  it("behind a load balancer sets mode, ports and scaling, and keeps them when only the image changes", async () => {
    const { higgs, endpoints, emulator } = await startAccount();
    await higgs(`${DEPLOY} --mode lb --cached-models`);
    const wanted = {
      type: "LOAD_BALANCER",
      ports: ["8000/http"],
      scaling: { type: "REQUEST_COUNT", requestCount: 1 },
      env: { HIGGS_MODE: "lb", PORT: "8000", PORT_HEALTH: "8000", HF_HUB_OFFLINE: "1" },
    };
    expect(endpoints()).toMatchObject([wanted]);
    emulator.requests.length = 0;
    await higgs("deploy --image me/higgs:2");
    expect(endpoints()).toMatchObject([{ ...wanted, image: "me/higgs:2" }]);
  });

  it("says what cached models still need, and that a model is missing", async () => {
    const { higgs } = await startAccount();
    expect((await higgs(`${DEPLOY} --cached-models`)).err).toContain("bosonai/higgs-audio-v2-tokenizer");
    expect((await higgs(`${DEPLOY} --name other`)).err).toContain("workers find no model");
  });

  it.each([
    [`${DEPLOY} --env AWS_SECRET_ACCESS_KEY=${SECRET}`, "AWS_SECRET_ACCESS_KEY is a secret"],
    [`${DEPLOY} --env MY_TOKEN=${SECRET}`, "MY_TOKEN is a secret"],
    [`${DEPLOY} --env RUNPOD_API_KEY`, "workers do not need it"],
    [`${DEPLOY} --env NOT_SET_ANYWHERE`, "NOT_SET_ANYWHERE is set neither"],
    [`${DEPLOY} --env HIGGS_WEIGHT=q8_0`, "did you mean HIGGS_WEIGHTS?"],
    [`${DEPLOY} --env HIGGS_WEIGHTS=q9`, "HIGGS_WEIGHTS is not valid"],
    [`${DEPLOY} --env '${SECRET}!'`, "--env wants NAME or NAME=value"],
    [`${DEPLOY} --env-file nowhere.env`, "no such file"],
    [`${DEPLOY} --gpu 9999`, "serverless has no 9999"],
    [`${DEPLOY} --volume nothing`, "the account has none with this name or id"],
    [`${DEPLOY} --mode lb --scale-delay 3`, "a load balancer has no queue"],
    [`${DEPLOY} --workers-min 5`, "more workers at least than at most"],
    [`${DEPLOY} --workers-max many`, "Allowed are whole numbers"],
    [`${DEPLOY} --min-cuda new`, "versions such as 12.8"],
    ["deploy", "no image is named"],
  ])("%s is wrong usage, says why, and changes nothing", async (line, reason) => {
    const { emulator, higgs } = await startAccount();
    const { exitCode, err } = await higgs(line);
    expect(exitCode).toBe(2);
    expect(err).toContain(reason);
    expect(err).not.toContain(SECRET);
    expect(emulator.writes).toEqual([]);
  });

  it("passes on a name of a secret that is stored at RunPod", async () => {
    const { higgs, endpoints } = await startAccount();
    await higgs(`${DEPLOY} --env 'AWS_SECRET_ACCESS_KEY={{ RUNPOD_SECRET_s3 }}'`);
    expect(endpoints()[0]?.env).toEqual({ AWS_SECRET_ACCESS_KEY: "{{ RUNPOD_SECRET_s3 }}" });
  });

  it("sends the variables of a file, without those of deploying", async () => {
    const { higgs, endpoints, workingDirectory } = await startAccount();
    const file = join(workingDirectory, "worker.env");
    writeFileSync(file, `S3_BUCKET=audio\nRUNPOD_API_KEY=${API_KEY}\nRUNPOD_S3_SECRET_ACCESS_KEY=${SECRET}\n`);
    await higgs(`${DEPLOY} --env-file ${file}`);
    expect(endpoints()[0]?.env).toEqual({ S3_BUCKET: "audio" });
    await higgs("deploy --unset-env S3_BUCKET");
    expect(endpoints()[0]?.env).toEqual({});
  });

  it.each([
    [401, "RUNPOD_DENIED"],
    [403, "RUNPOD_DENIED"],
    [400, "RUNPOD_REFUSED"],
    [409, "RUNPOD_REFUSED"],
    [422, "RUNPOD_REFUSED"],
  ])("RunPod's %i is %s with RunPod's words", async (status, code) => {
    const { emulator, higgs } = await startAccount();
    emulator.faults.add({ action: { kind: "answer", status, detail: "quota of workers exceeded" } });
    const { exitCode, err } = await higgs(DEPLOY);
    expect([exitCode, err.split(":")[0]]).toEqual([1, code]);
    expect(err).toContain(`RunPod answered ${status}: quota of workers exceeded`);
  });
});
