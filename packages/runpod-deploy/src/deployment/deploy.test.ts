import { describe, expect, it } from "vitest";
import { RunpodApiError } from "../errors.ts";
import { startTestAccount, type TestAccount } from "../testing/test-account.ts";
import { deploy, planDeployment } from "./deploy.ts";
import { removeDeployment } from "./remove.ts";
import { DeploymentError, type DeploymentWish } from "./settings.ts";

const DEFAULTS: DeploymentWish["defaults"] = {
  args: "",
  disk: 10,
  ports: [],
  registry: null,
  env: {},
  gpus: { pools: ["ADA_24"], excludedTypes: [] },
  gpuCount: 1,
  workersMin: 0,
  workersMax: 3,
  idleTimeoutSeconds: 10,
  scaling: { type: "QUEUE_DELAY", queueDelay: 4 },
  executionTimeoutMs: 600_000,
  flashboot: "FLASHBOOT",
  networkVolumes: [],
  dataCenterIds: [],
};

function wish(named: DeploymentWish["named"] = {}, rest: Partial<DeploymentWish> = {}): DeploymentWish {
  return {
    name: "speech",
    id: null,
    type: "QUEUE",
    named: { image: "me/speech:1", ...named },
    defaults: DEFAULTS,
    unsetEnv: [],
    isReset: false,
    target: null,
    minCudaVersion: null,
    ...rest,
  };
}

function only<Item>(items: ReadonlyMap<string, Item>): Item | undefined {
  expect(items.size).toBe(1);
  return [...items.values()][0];
}

async function deployed(account: TestAccount, first = wish()) {
  const { endpoint } = await deploy(account.client, first);
  account.emulator.requests.length = 0;
  return endpoint;
}

describe("a first deployment", () => {
  it("makes a template and an endpoint with everything said explicitly", async () => {
    const { client, emulator } = await startTestAccount();
    const { outcome, endpoint } = await deploy(client, wish({ env: { S3_BUCKET: "audio" } }));
    expect(outcome).toBe("created");
    expect(emulator.writes).toEqual(["POST /v2/templates", "POST /v2/serverless"]);
    const [template, body] = emulator.requests.filter(({ method }) => method === "POST").map((request) => request.body);
    expect(template).toMatchObject({
      name: "speech",
      image: "me/speech:1",
      serverless: true,
      startSsh: false,
      startJupyter: false,
    });
    expect(body).toMatchObject({
      type: "QUEUE",
      gpu: { pools: ["ADA_24"], count: 1, minCudaVersion: "12.4" },
      workers: { min: 0, max: 3, idleTimeout: 10 },
      timeout: 600_000,
      flashboot: "FLASHBOOT",
    });
    expect(only(emulator.account.endpoints)).toMatchObject({
      id: endpoint.id,
      image: "me/speech:1",
      env: { S3_BUCKET: "audio" },
    });
  });

  it("behind a load balancer scales by requests", async () => {
    const { client, emulator } = await startTestAccount();
    const scaling = { type: "REQUEST_COUNT", requestCount: 1 } as const;
    const env = { PORT: "8000", PORT_HEALTH: "8000" };
    await deploy(client, wish({ scaling, env, ports: ["8000/http"] }, { type: "LOAD_BALANCER" }));
    expect(only(emulator.account.endpoints)).toMatchObject({
      type: "LOAD_BALANCER",
      scaling,
      ports: ["8000/http"],
      env,
    });
  });

  it.each([
    ["an answer that got lost", { kind: "reset" }, true],
    ["a failure after the endpoint was made", { kind: "answer", status: 502, isHtml: true }, true],
    ["a failure before anything was made", { kind: "answer", status: 503 }, false],
  ] as const)("makes one endpoint in spite of %s", async (_name, action, isAfter) => {
    const { client, emulator } = await startTestAccount();
    emulator.faults.add({ method: "POST", path: /serverless$/, action, isAfter });
    await deploy(client, wish());
    expect(emulator.account.endpoints.size).toBe(1);
  });

  it("leaves nothing behind when RunPod refuses the endpoint", async () => {
    const { client, emulator } = await startTestAccount();
    const gpus = { pools: ["NO_SUCH_POOL"], excludedTypes: [] };
    await expect(deploy(client, wish({ gpus }))).rejects.toThrow(/create the endpoint.*400.*NO_SUCH_POOL/);
    expect(emulator.account.templates.size).toBe(0);
  });

  it("goes on where it stopped when it is run again", async () => {
    const { client, emulator } = await startTestAccount();
    emulator.faults.add({ method: "POST", path: /serverless$/, action: { kind: "answer", status: 500 }, times: 9 });
    await expect(deploy(client, wish())).rejects.toThrow(RunpodApiError);
    emulator.faults.clear();
    expect((await deploy(client, wish())).outcome).toBe("created");
    expect([emulator.account.templates.size, emulator.account.endpoints.size]).toEqual([1, 1]);
  });

  it("takes a template that somebody made in between", async () => {
    const { client, emulator } = await startTestAccount();
    emulator.faults.add({ method: "POST", path: /templates$/, action: { kind: "answer", status: 409 }, isAfter: true });
    await deploy(client, wish());
    expect(emulator.account.templates.size).toBe(1);
  });

  it("without an image changes nothing", async () => {
    const { client, emulator } = await startTestAccount();
    await expect(deploy(client, { ...wish(), named: {} })).rejects.toThrow(DeploymentError);
    expect(emulator.writes).toEqual([]);
  });
});

describe("deploying again", () => {
  it("with the same wishes sends nothing", async () => {
    const account = await startTestAccount();
    await deployed(
      account,
      wish({ env: { A: "1" }, gpus: { pools: ["ADA_24", "AMPERE_24"], excludedTypes: ["NVIDIA L4"] } }),
    );
    const again = wish({ env: { A: "1" }, gpus: { pools: ["AMPERE_24", "ADA_24"], excludedTypes: ["NVIDIA L4"] } });
    expect((await deploy(account.client, again)).outcome).toBe("unchanged");
    expect(account.emulator.writes).toEqual([]);
  });

  it("with another image patches only that, and the CUDA floor that follows from it", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account);
    const { outcome, changes } = await deploy(account.client, wish({ image: "me/speech:2-cuda13" }));
    expect(outcome).toBe("updated");
    expect(changes.map(({ field }) => field).sort()).toEqual(["gpu.minCudaVersion", "image"]);
    const patch = account.emulator.requests.find(({ method, path }) => method === "PATCH" && path.includes(id))?.body;
    expect(patch).toEqual({ image: "me/speech:2-cuda13", gpu: { count: 1, minCudaVersion: "13.0" } });
    expect(only(account.emulator.account.templates)).toMatchObject({ image: "me/speech:2-cuda13" });
  });

  it("keeps variables and settings that were not named", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account, wish({ env: { SECRET: "s" }, workersMax: 7 }));
    await deploy(account.client, wish({ image: "me/speech:2" }));
    expect(account.emulator.account.endpoints.get(id)).toMatchObject({ env: { SECRET: "s" }, workers: { max: 7 } });
  });

  it("puts back what is named and was changed by somebody else", async () => {
    const account = await startTestAccount();
    const named = { workersMax: 4, env: { A: "1" } };
    const { id } = await deployed(account, wish(named));
    account.emulator.drift(id, { workers: { max: 9 }, env: { A: "2", B: "3" }, image: "me/other:1" });
    const { changes } = await deploy(account.client, wish(named));
    expect(changes.map(({ field }) => field).sort()).toEqual(["env.A", "image", "workers.max"]);
    expect(account.emulator.account.endpoints.get(id)).toMatchObject({
      image: "me/speech:1",
      workers: { max: 4 },
      env: { A: "1", B: "3" },
    });
  });

  it("with a reset puts back everything else too", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account);
    account.emulator.drift(id, { workers: { min: 2, max: 9 }, env: { B: "3" }, timeout: 1000, flashboot: "OFF" });
    await deploy(account.client, wish({}, { isReset: true }));
    expect(account.emulator.account.endpoints.get(id)).toMatchObject({
      workers: { min: 0, max: 3 },
      env: {},
      timeout: 600_000,
      flashboot: "FLASHBOOT",
    });
    account.emulator.requests.length = 0;
    await deploy(account.client, wish({}, { isReset: true }));
    expect(account.emulator.writes).toEqual([]);
  });

  it("clears a list of CUDA versions that somebody set, in the same request as the floor", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account);
    account.emulator.drift(id, { gpu: { minCudaVersion: "", allowedCudaVersions: ["12.8"] } });
    await deploy(account.client, wish());
    expect(account.emulator.account.endpoints.get(id)?.gpu).toMatchObject({
      minCudaVersion: "12.4",
      allowedCudaVersions: [],
    });
  });

  it("keeps exclusions when only pools change, and drops them when none are wanted", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account, wish({ gpus: { pools: ["AMPERE_24"], excludedTypes: ["NVIDIA L4"] } }));
    await deploy(account.client, wish({ gpus: { pools: ["AMPERE_24", "ADA_24"], excludedTypes: ["NVIDIA L4"] } }));
    expect(account.emulator.account.endpoints.get(id)?.gpu?.excludedTypes).toEqual(["NVIDIA L4"]);
    await deploy(account.client, wish({ gpus: { pools: ["AMPERE_24", "ADA_24"], excludedTypes: [] } }));
    expect(account.emulator.account.endpoints.get(id)?.gpu?.excludedTypes).toBeUndefined();
  });

  it("takes variables away when told so", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account, wish({ env: { A: "1", B: "2" } }));
    await deploy(account.client, wish({}, { unsetEnv: ["A"] }));
    expect(account.emulator.account.endpoints.get(id)?.env).toEqual({ B: "2" });
  });

  it("switches a queue to scaling by requests without an idle timeout", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account);
    const scaling = { type: "REQUEST_COUNT", requestCount: 2 } as const;
    await deploy(account.client, wish({ scaling, idleTimeoutSeconds: 60 }));
    expect(account.emulator.account.endpoints.get(id)).toMatchObject({ scaling, workers: { min: 0, max: 3 } });
    account.emulator.requests.length = 0;
    await deploy(account.client, wish({ scaling, idleTimeoutSeconds: 60 }));
    expect(account.emulator.writes).toEqual([]);
  });

  it("finds an endpoint that RunPod has renamed for FlashBoot", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account);
    account.emulator.drift(id, { name: "speech -fb" });
    expect((await deploy(account.client, wish())).outcome).toBe("unchanged");
  });

  it.each([
    ["of another type", wish({}, { type: "LOAD_BALANCER" }), "type-fixed"],
    ["with more workers at least than at most", wish({ workersMin: 5 }), "workers-invalid"],
    ["with an id that does not exist", wish({}, { id: "nothing" }), "endpoint-missing"],
  ] as const)("%s is refused before anything is sent", async (_name, second, problem) => {
    const account = await startTestAccount();
    await deployed(account);
    await expect(deploy(account.client, second)).rejects.toMatchObject({ problem });
    expect(account.emulator.writes).toEqual([]);
  });

  it("does not guess which of two endpoints of one name is meant", async () => {
    const account = await startTestAccount();
    const { id } = await deployed(account);
    const other = account.emulator.account.createEndpoint({
      name: "speech",
      type: "QUEUE",
      image: "me/speech:1",
      gpu: { pools: ["ADA_24"], count: 1 },
      scaling: { type: "QUEUE_DELAY", queueDelay: 4 },
    });
    await expect(deploy(account.client, wish())).rejects.toThrow(new RegExp(`${id}.*${other.id}`));
    await deploy(account.client, wish({ workersMax: 1 }, { id: other.id }));
    expect(account.emulator.account.endpoints.get(other.id)?.workers.max).toBe(1);
  });

  it("does not miss a template that is gone", async () => {
    const account = await startTestAccount();
    await deployed(account);
    account.emulator.account.templates.clear();
    expect((await deploy(account.client, wish())).outcome).toBe("unchanged");
    expect(account.emulator.writes).toEqual([]);
  });
});

it("a plan sends nothing and holds the requests that deploying sends", async () => {
  const { client, emulator } = await startTestAccount();
  const plan = await planDeployment(client, wish());
  expect(emulator.writes).toEqual([]);
  await deploy(client, wish());
  expect(plan.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(emulator.writes);
  expect(plan.requests[0]?.body).toEqual(emulator.requests.find(({ method }) => method === "POST")?.body);
});

describe("removing", () => {
  it("leaves nothing, and can be done twice", async () => {
    const account = await startTestAccount();
    const volume = account.emulator.account.createVolume({ name: "v", size: 30, dataCenter: "EU-RO-1" });
    const { id } = await deployed(account, wish({ networkVolumes: [volume.id] }));
    const options = { name: "speech", id: null, withVolumes: true };
    expect(await removeDeployment(account.client, options)).toMatchObject({ endpoint: id, volumes: [volume.id] });
    const { endpoints, templates, volumes } = account.emulator.account;
    expect([endpoints.size, templates.size, volumes.size]).toEqual([0, 0, 0]);
    expect(await removeDeployment(account.client, options)).toEqual({ endpoint: null, template: null, volumes: [] });
  });

  it("keeps the volume unless told otherwise", async () => {
    const account = await startTestAccount();
    const volume = account.emulator.account.createVolume({ name: "v", size: 30, dataCenter: "EU-RO-1" });
    await deployed(account, wish({ networkVolumes: [volume.id] }));
    await removeDeployment(account.client, { name: "speech", id: null, withVolumes: false });
    expect(account.emulator.account.volumes.size).toBe(1);
  });

  it("waits until the last worker has let go of the volume", async () => {
    const account = await startTestAccount();
    const volume = account.emulator.account.createVolume({ name: "v", size: 30, dataCenter: "EU-RO-1" });
    await deployed(account, wish({ networkVolumes: [volume.id] }));
    const action = { kind: "answer", status: 400, detail: "network volume is in use" } as const;
    account.emulator.faults.add({ method: "DELETE", path: /network-volumes/, action, times: 2 });
    await removeDeployment(account.client, { name: "speech", id: null, withVolumes: true });
    expect(account.emulator.account.volumes.size).toBe(0);
    expect(account.waits).toEqual([2000, 4000]);
  });
});
