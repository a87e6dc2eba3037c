import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Handler, start } from "../../src/index.ts";
import { FakeSurface } from "../../src/testing/fake-surface.ts";
import { StubPlatform } from "../../src/testing/stub-platform.ts";

interface Served {
  readonly surface: FakeSurface;
  readonly exit: Promise<number>;
  readonly url: string;
}

async function until(condition: () => boolean): Promise<void> {
  await expect.poll(condition).toBe(true);
}

async function serve(
  handler: Handler,
  env: Readonly<Record<string, string | undefined>> = {},
  argv: readonly string[] = ["--rp_serve_api", "--rp_api_host", "127.0.0.1", "--rp_api_port", "0"],
): Promise<Served> {
  const surface = new FakeSurface({ argv, env });
  const exit = start({ handler, surface });
  onTestFinished(async () => {
    surface.signal();
    surface.signal();
    await exit;
  });
  const found = (): string | undefined => /listening on ([^\s"]+)/.exec(surface.output)?.[1];
  await until(() => found() !== undefined);
  return { surface, exit, url: found() ?? "" };
}

function post(url: string, body: unknown): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

describe("--rp_serve_api", () => {
  it("serves the handler, wins over --test_input and over the production environment, and exits 0 on SIGINT", async () => {
    const platform = await StubPlatform.open();
    const argv = ["--rp_serve_api", "--rp_api_host=127.0.0.1", "--rp_api_port=0", "--test_input", '{"input":1}'];
    const env = { ...platform.env(), RUNPOD_WEBHOOK_PING: undefined };
    const { surface, exit, url } = await serve((job) => ({ echo: job.input }), env, argv);
    const answer = await post(`${url}/v2/any/runsync`, { input: { a: 1 } });
    expect(await answer.json()).toMatchObject({ status: "COMPLETED", output: { echo: { a: 1 } }, workerId: "pod1" });
    surface.signal("SIGINT");
    expect(await exit).toBe(0);
    expect(platform.requests).toEqual([]);
    await platform.close();
  });

  it("sends pings with the running jobs where the variables are set", async () => {
    const platform = await StubPlatform.open();
    onTestFinished(() => platform.close());
    let release = (): void => {};
    const handler: Handler = () => new Promise<void>((resolve) => void (release = resolve));
    const { url } = await serve(handler, platform.env({ RUNPOD_PING_INTERVAL: "1000" }));
    const { id } = (await (await post(`${url}/run`, { input: 1 })).json()) as { id: string };
    await platform.until(
      () => platform.of("ping").some((ping) => ping.query.get("job_id") === id),
      "a ping with the id",
    );
    release();
    await platform.until(() => platform.of("ping").at(-1)?.query.has("job_id") === false, "a ping without it");
    expect(platform.of("take", "stop")).toEqual([]);
  });

  it("RUNPOD_REALTIME_PORT serves the realtime route on that port", async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => void probe.close(resolve));
    const env = { RUNPOD_REALTIME_PORT: String(port), RUNPOD_ENDPOINT_ID: "ep9" };
    const { surface } = await serve((job) => job.input, env, []);
    const answer = await post(`http://127.0.0.1:${port}/ep9/realtime`, { id: "x", input: [1, 2] });
    expect(await answer.json()).toEqual({ output: [1, 2] });
    expect(surface.output).toContain(`http://0.0.0.0:${port}`);
  });
});
