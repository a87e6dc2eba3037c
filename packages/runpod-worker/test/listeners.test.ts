import { readdirSync, readFileSync } from "node:fs";
import { Server } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startEmulator } from "../src/emulator/emulator.ts";
import { start } from "../src/index.ts";
import { createHandlerExecutor, serveLocalApi } from "../src/local-api/index.ts";
import { isLoopbackHost } from "../src/network/public-address.ts";
import { FakeSurface } from "../src/testing/fake-surface.ts";

afterEach(() => vi.restoreAllMocks());

/** The hosts bound while `work` runs; `undefined` means all addresses of the machine. */
async function hostsBoundBy(work: () => Promise<void>): Promise<unknown[]> {
  const listen = vi.spyOn(Server.prototype, "listen");
  await work();
  // Node's own call, with the host as second argument, is the only form that the sources use; see below.
  return listen.mock.calls.map((args: readonly unknown[]) => args[1]);
}

describe("a server that is not told where to listen", () => {
  it.each([
    ["the emulator", async () => (await startEmulator()).close()],
    [
      "the local API",
      async () => (await serveLocalApi({ execute: createHandlerExecutor({ handler: () => 1 }), port: 0 })).close(),
    ],
    [
      "--rp_serve_api",
      async () => {
        const surface = new FakeSurface({ argv: ["--rp_serve_api", "--rp_api_port=0"] });
        const exit = start({ handler: () => 1, surface });
        await expect.poll(() => surface.output).toContain("listening on");
        surface.signal();
        await exit;
      },
    ],
  ])("%s, is reached from its own machine only", async (_name, work) => {
    const hosts = await hostsBoundBy(work);
    expect(hosts).toHaveLength(1);
    for (const host of hosts) expect(isLoopbackHost(String(host))).toBe(true);
  });

  it("would be noticed: the spy sees what is bound to all addresses", async () => {
    const execute = createHandlerExecutor({ handler: () => 1 });
    const hosts = await hostsBoundBy(async () => (await serveLocalApi({ execute, port: 0, host: "0.0.0.0" })).close());
    expect(hosts).toEqual(["0.0.0.0"]);
  });
});

const ROOT = join(import.meta.dirname, "../../..");
const LISTEN = /(?:[sS]erver|\))\.listen\(([^)]*)/g;

/** Every call of `listen` with arguments, in the sources, tests and scripts of the whole repository. */
function listenCalls(): { readonly file: string; readonly args: string }[] {
  const files = ["packages", "apps", "scripts", "bench", "examples", "findings"].flatMap((folder) =>
    filesBelow(folder),
  );
  return files.flatMap((file) =>
    [...readFileSync(join(ROOT, file), "utf8").matchAll(LISTEN)]
      .map(([, args = ""]) => ({ file, args: args.trim() }))
      .filter(({ args }) => args !== ""),
  );
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(?:node_modules|dist|build|target)$/.test(entry.name) ? [] : filesBelow(path);
    return /\.(?:ts|js|mjs)$/.test(entry.name) ? [path] : [];
  });
}

describe("the repository", () => {
  it("opens ports in two places, which must be told where; tests and findings open them on this machine only", () => {
    const calls = listenCalls().filter(({ file }) => !file.endsWith("listeners.test.ts"));
    // Names of sockets in the file system are no ports.
    const product = calls.filter(({ args }) => !/127\.0\.0\.1|^join\(folder|^(?:socket|path)\b/.test(args));
    expect(product).toEqual([
      { file: "packages/runpod-worker/src/public-api/http-server.ts", args: "port, host, (" },
      { file: "apps/worker/src/doors/mount-doors.ts", args: "{ host, port, maxTextChars }" },
      { file: "apps/worker/src/doors/wyoming/wyoming-server.ts", args: "{ host, port }, resolve" },
    ]);
  });
});
