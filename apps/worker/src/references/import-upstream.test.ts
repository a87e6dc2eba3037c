import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { VoiceLibrary } from "@higgs-worker/higgs-audio";
import { describe, expect, it, onTestFinished } from "vitest";
import { startForwardProxy } from "../testing/forward-proxy.ts";
import { scratchDir } from "../testing/scratch.ts";
import { importUpstream, type ImportUpstreamOptions } from "./import-upstream.ts";
import { UPSTREAM_BASE_URL, UPSTREAM_VOICES } from "./upstream-voices.ts";

const files = new Map<string, Buffer>([
  ["anna.wav", Buffer.alloc(50_000, "anna")],
  ["anna.txt", Buffer.from("Hello from Anna.\n")],
  ["ben.wav", Buffer.alloc(30_000, "ben")],
  ["ben.txt", Buffer.from("Hello from Ben.\n")],
]);

const factsOf = (name: string) => {
  const bytes = files.get(name) ?? Buffer.alloc(0);
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
};

const voices = ["anna", "ben"].map((name) => ({
  name,
  language: "en",
  audio: factsOf(`${name}.wav`),
  transcript: factsOf(`${name}.txt`),
}));

interface Fault {
  /** Bytes after which the connection breaks, once a name. */
  readonly breakAt?: number;
  readonly content?: ReadonlyMap<string, Buffer>;
  readonly ignoresRanges?: boolean;
  readonly status?: number;
}

async function setUp(fault: Fault = {}) {
  const requests: string[] = [];
  const broken = new Set<string>();
  const server = createServer(({ url = "", headers }, response) => {
    const name = url.slice(1);
    const bytes = (fault.content ?? files).get(name);
    requests.push(`${name} ${headers.range ?? "whole"}`);
    if (fault.status !== undefined || bytes === undefined) {
      response.writeHead(fault.status ?? 404).end();
      return;
    }
    const from = fault.ignoresRanges === true ? 0 : Number(/\d+/.exec(headers.range ?? "0")?.[0]);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": bytes.length - from });
    if (fault.breakAt !== undefined && bytes.length > fault.breakAt && !broken.has(name)) {
      broken.add(name);
      response.write(bytes.subarray(from, fault.breakAt), () => setTimeout(() => response.destroy(), 50));
    } else {
      response.end(bytes.subarray(from));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const voicesDir = join(scratchDir(), "voices");
  const library = new VoiceLibrary([{ path: voicesDir, origin: "own" }]);
  const run = (more: Partial<ImportUpstreamOptions> = {}) =>
    importUpstream({
      library,
      voicesDir,
      voices,
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      download: { retryMs: 1 },
      ...more,
    });
  return { port: (server.address() as AddressInfo).port, requests, voicesDir, library, run };
}

describe("importUpstream()", () => {
  it("imports each voice with where it comes from, and leaves nothing else", async () => {
    const { voicesDir, library, run } = await setUp();
    expect(await run()).toEqual({ anna: "imported", ben: "imported" });
    expect(readdirSync(voicesDir)).toEqual(["anna.json", "anna.txt", "anna.wav", "ben.json", "ben.txt", "ben.wav"]);
    const anna = await library.load("anna");
    expect(anna).toMatchObject({ transcript: "Hello from Anna.", language: "en" });
    expect(anna?.source).toContain("f04f5df");
    expect(anna?.consent).toContain("none is known");
    expect(Buffer.from(anna?.audio ?? []).equals(files.get("anna.wav") ?? Buffer.alloc(0))).toBe(true);
  });

  it("keeps what is there, and another voice of the name", async () => {
    const { requests, library, run } = await setUp();
    await run();
    await library.remove("ben");
    await library.add({ name: "ben", audio: Buffer.from("mine"), extension: ".wav", transcript: "Mine." });
    const before = requests.length;
    expect(await run()).toEqual({ anna: "kept", ben: "different" });
    expect(requests).toHaveLength(before);
    expect(await library.load("ben")).toMatchObject({ transcript: "Mine." });
  });

  it("goes on where a connection broke", async () => {
    const { requests, run } = await setUp({ breakAt: 20_000 });
    expect(await run()).toEqual({ anna: "imported", ben: "imported" });
    expect(requests).toContain("anna.wav bytes=20000-");
  });

  it("goes on where an earlier import was killed, also on a server that sends only whole files", async () => {
    for (const ignoresRanges of [false, true]) {
      const { requests, voicesDir, run } = await setUp({ ignoresRanges });
      mkdirSync(join(voicesDir, ".import"), { recursive: true });
      const half = files.get("anna.wav")?.subarray(0, 10_000) ?? "";
      writeFileSync(join(voicesDir, ".import", "anna.wav.partial"), half);
      expect(await run()).toMatchObject({ anna: "imported" });
      expect(requests[0]).toBe("anna.wav bytes=10000-");
    }
  });

  it("takes nothing else than the expected bytes", async () => {
    const wrong = new Map([...files, ["anna.wav", Buffer.alloc(50_000, "evil")]]);
    const longer = new Map([...files, ["anna.wav", Buffer.alloc(90_000, "anna")]]);
    const shorter = new Map([...files, ["anna.wav", Buffer.alloc(10, "anna")]]);
    for (const [content, reason] of [
      [wrong, "SHA-256 is not the expected one"],
      [longer, "more than expected"],
      [shorter, "cut off"],
    ] as const) {
      const { library, run } = await setUp({ content });
      await expect(run()).rejects.toMatchObject({
        code: "VOLUME_UNAVAILABLE",
        message: expect.stringContaining(reason),
      });
      expect(await library.names()).toEqual([]);
    }
  });

  it("a damaged partial file is started again", async () => {
    const { voicesDir, run } = await setUp();
    mkdirSync(join(voicesDir, ".import"), { recursive: true });
    writeFileSync(join(voicesDir, ".import", "anna.wav.partial"), Buffer.alloc(10_000, "x"));
    expect(await run()).toEqual({ anna: "imported", ben: "imported" });
  });

  it("a server without the files, and a stop, are clear errors", async () => {
    const missing = await setUp({ status: 404 });
    await expect(missing.run()).rejects.toMatchObject({ message: expect.stringContaining("status 404") });
    const stopped = await setUp();
    await expect(stopped.run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

it("goes through HTTP_PROXY, also for the rest of a file", async () => {
  const { port, run } = await setUp({ breakAt: 20_000 });
  const proxy = await startForwardProxy(port);
  const proxies = { httpProxy: proxy.url, httpsProxy: null, noProxy: null };
  const outcomes = await run({ baseUrl: "http://voices.test", download: { retryMs: 1, proxies } });
  expect(outcomes).toEqual({ anna: "imported", ben: "imported" });
  expect(proxy.requests).toContain("GET http://voices.test/anna.wav");
});

it("the table has the sixteen voices of the pinned commit", () => {
  expect(UPSTREAM_VOICES).toHaveLength(16);
  expect(new Set(UPSTREAM_VOICES.map(({ audio }) => audio.sha256)).size).toBe(16);
  for (const { audio, transcript } of UPSTREAM_VOICES) {
    expect(`${audio.sha256} ${transcript.sha256}`).toMatch(/^[0-9a-f]{64} [0-9a-f]{64}$/);
    expect(audio.bytes).toBeGreaterThan(300_000);
  }
  expect(UPSTREAM_BASE_URL).toMatch(/^https:\/\/raw\.githubusercontent\.com\/.*[0-9a-f]{40}/);
});
