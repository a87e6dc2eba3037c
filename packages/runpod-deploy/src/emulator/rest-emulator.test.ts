import { expect, it } from "vitest";
import { API_KEY, startTestAccount } from "../testing/test-account.ts";

const ENDPOINT = {
  name: "e",
  image: "me/e:1",
  type: "QUEUE",
  gpu: { pools: ["ADA_24"], count: 1 },
  scaling: { type: "QUEUE_DELAY", queueDelay: 4 },
};
const BY_REQUESTS = { type: "REQUEST_COUNT", requestCount: 1 };

async function post(url: string, body: unknown, key = API_KEY, method = "POST") {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const init = { headers, body: typeof body === "string" ? body : JSON.stringify(body) };
  const reply = await fetch(new Request(url, { ...init, method }));
  return {
    status: reply.status,
    type: reply.headers.get("content-type"),
    problem: (await reply.json()) as { errors?: string[] },
  };
}

it.each([
  [
    "an unknown field",
    { ...ENDPOINT, modelReferences: [] },
    422,
    "additional properties 'modelReferences' not allowed",
  ],
  ["an unknown field inside", { ...ENDPOINT, gpu: { pools: ["ADA_24"], type: "L4" } }, 422, "'type' not allowed"],
  ["a missing field", { ...ENDPOINT, scaling: undefined }, 422, "missing property 'scaling'"],
  ["neither image nor template", { ...ENDPOINT, image: undefined }, 422, "missing property 'image'"],
  ["no pools", { ...ENDPOINT, gpu: { count: 1 } }, 422, "missing property 'pools'"],
  ["an empty list of pools", { ...ENDPOINT, gpu: { pools: [] } }, 422, "minItems"],
  ["a wrong type", { ...ENDPOINT, timeout: "600000" }, 422, "want integer"],
  ["a variable that is not text", { ...ENDPOINT, env: { A: 1 } }, 422, "$.env.A: got number, want string"],
  ["a number out of range", { ...ENDPOINT, workers: { idleTimeout: 3601 } }, 422, "maximum"],
  [
    "half a second less than half a second",
    { ...ENDPOINT, scaling: { type: "QUEUE_DELAY", queueDelay: 0.4 } },
    422,
    "minimum",
  ],
  ["a load balancer that scales by delay", { ...ENDPOINT, type: "LOAD_BALANCER" }, 422, "must be one of REQUEST_COUNT"],
  [
    "a list and a floor of CUDA versions",
    { ...ENDPOINT, gpu: { pools: ["ADA_24"], allowedCudaVersions: ["12.8"], minCudaVersion: "12.4" } },
    400,
    "",
  ],
  ["a pool that does not exist", { ...ENDPOINT, gpu: { pools: ["RTX 4090"], count: 1 } }, 400, ""],
  [
    "the exclusion of a card of another pool",
    { ...ENDPOINT, gpu: { pools: ["ADA_24"], excludedTypes: ["NVIDIA L4"] } },
    400,
    "",
  ],
  [
    "the exclusion of every card",
    { ...ENDPOINT, gpu: { pools: ["ADA_24"], excludedTypes: ["NVIDIA GeForce RTX 4090"] } },
    400,
    "",
  ],
  ["no compute", { ...ENDPOINT, gpu: undefined }, 400, ""],
  [
    "an idle timeout of a queue that scales by requests",
    { ...ENDPOINT, scaling: BY_REQUESTS, workers: { idleTimeout: 5 } },
    400,
    "",
  ],
  ["a volume that does not exist", { ...ENDPOINT, networkVolumes: ["nothing"] }, 404, ""],
  ["a template that does not exist", { ...ENDPOINT, templateId: "nothing" }, 404, ""],
  ["no JSON", "{", 400, ""],
] as const)("an endpoint with %s is refused", async (_name, body, status, error) => {
  const { emulator } = await startTestAccount();
  const answer = await post(`${emulator.url}/v2/serverless`, body);
  expect(answer).toMatchObject({ status, type: "application/problem+json", problem: { status } });
  expect((answer.problem.errors ?? [""]).join()).toContain(error);
  expect(emulator.account.endpoints.size).toBe(0);
});

it("a template for pods cannot make an endpoint", async () => {
  const { emulator } = await startTestAccount();
  const template = await post(`${emulator.url}/v2/templates`, { name: "t", image: "me/t:1" });
  const templateId = (template.problem as { id?: string }).id;
  expect(template).toMatchObject({ status: 201, problem: { startSsh: true, startJupyter: true } });
  expect((await post(`${emulator.url}/v2/serverless`, { ...ENDPOINT, templateId })).status).toBe(422);
});

it("a volume cannot shrink, be empty or be in a place that does not exist", async () => {
  const { emulator } = await startTestAccount();
  const url = `${emulator.url}/v2/network-volumes`;
  expect((await post(url, { name: "v", size: 9, dataCenter: "EU-RO-1" })).status).toBe(422);
  expect((await post(url, { name: "v", size: 10, dataCenter: "MOON-1" })).status).toBe(400);
  const { problem } = await post(url, { name: "v", size: 20, dataCenter: "EU-RO-1" });
  const { id } = problem as { id?: string };
  expect((await post(`${url}/${id}`, { size: 10 }, API_KEY, "PATCH")).status).toBe(400);
  expect((await post(`${url}/${id}`, {}, API_KEY, "PATCH")).status).toBe(422);
  expect((await post(`${url}/${id}`, { size: 30 }, API_KEY, "PATCH")).status).toBe(200);
});

it("a wrong key, path or method is answered as RunPod does", async () => {
  const { emulator } = await startTestAccount();
  expect((await post(`${emulator.url}/v2/serverless`, ENDPOINT, "wrong")).status).toBe(401);
  expect((await post(`${emulator.url}/v2/endpoints`, ENDPOINT)).status).toBe(404);
  expect((await post(`${emulator.url}/v2/serverless`, ENDPOINT, API_KEY, "PUT")).status).toBe(405);
});

it("a pod without a GPU count finds no machine", async () => {
  const { emulator } = await startTestAccount();
  const gpu = { id: "NVIDIA L4" };
  expect((await post(`${emulator.url}/v2/pods`, { name: "p", image: "i", gpu })).status).toBe(400);
  expect((await post(`${emulator.url}/v2/pods`, { name: "p", image: "i", gpu: { ...gpu, count: 1 } })).status).toBe(
    201,
  );
});
