import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as Fs from "node:fs/promises";
import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it, vi } from "vitest";
import {
  COMMIT,
  type HubStub,
  type Misbehavior,
  sendRange,
  sha256,
  startHubStub,
  type StubFile,
} from "../testing/hub-stub.ts";
import { scratchDir } from "../testing/scratch.ts";
import { HubClient, type HubClientOptions } from "./hub-client.ts";
import { pullModel, type PullOptions } from "./pull-model.ts";
import { planPull } from "./pull-plan.ts";

const space = vi.hoisted(() => ({ freeBytes: null as number | null }));
vi.mock("node:fs/promises", async (importOriginal) => {
  const fs = await importOriginal<typeof Fs>();
  const statfs = async (path: string) => {
    const status = await fs.statfs(path);
    return space.freeBytes === null ? status : Object.assign(status, { bavail: space.freeBytes, bsize: 1 });
  };
  return { ...fs, statfs };
});

const SEGMENT_BYTES = 10_000;
const WEIGHTS: StubFile = { path: "model.safetensors", bytes: randomBytes(95_000) };
const FILES: readonly StubFile[] = [
  { path: "config.json", bytes: Buffer.from('{"model_type":"higgs_audio"}'), isSmall: true },
  WEIGHTS,
  { path: "tokenizer.json", bytes: randomBytes(12_345) },
  { path: ".gitattributes", bytes: Buffer.from("x"), isSmall: true },
  { path: "LICENSE", bytes: Buffer.from("a license"), isSmall: true },
  { path: "figures/plot.png", bytes: Buffer.from("y") },
];
const WANTED = { repository: "org/model", revision: "main", folderName: "model" };

interface Pull {
  readonly folder?: string;
  readonly client?: Partial<HubClientOptions>;
  readonly options?: PullOptions;
}

/** Pulls the stub's repository into a folder; waits between attempts are noted and take no time. */
async function pull(stub: HubStub, { folder = join(scratchDir(), "model"), client = {}, options = {} }: Pull = {}) {
  const waits: number[] = [];
  const hub = new HubClient({
    endpoint: stub.url,
    token: null,
    proxies: { httpProxy: null, httpsProxy: null, noProxy: null },
    signal: new AbortController().signal,
    wait: async (delayMs) => void waits.push(delayMs),
    ...client,
  });
  const outcome = await (async () => {
    const pulls = await planPull(hub, [WANTED], () => folder);
    return pullModel(hub, pulls, { segmentBytes: SEGMENT_BYTES, connections: 3, ...options });
  })().catch((error: unknown) => error);
  return { folder, waits, outcome };
}

function read(folder: string, name: string): Buffer {
  return readFileSync(join(folder, name));
}

/** Requests for the bytes of the weights. */
function rangesOf({ requests }: HubStub): (string | null)[] {
  return requests.filter(({ url, isHub }) => url.includes("model.safetensors") && !isHub).map(({ range }) => range);
}

describe("models pull", () => {
  it("downloads what inference needs, in parts, config.json last, and notes commit and hashes", async () => {
    const stub = await startHubStub(FILES);
    const seen: number[] = [];
    const { folder, outcome } = await pull(stub, {
      options: { onProgress: ({ doneBytes }) => void seen.push(doneBytes) },
    });
    expect(outcome).toHaveLength(4);
    const names = readdirSync(folder).filter((name) => name !== ".cache");
    expect(names.sort()).toEqual(["LICENSE", "config.json", "model.safetensors", "tokenizer.json"]);
    expect(read(folder, "model.safetensors").equals(WEIGHTS.bytes)).toBe(true);
    expect(new Set(rangesOf(stub)).size).toBe(10);
    expect(stub.requests.filter(({ url }) => url.includes("/resolve/")).every(({ url }) => url.includes(COMMIT))).toBe(
      true,
    );
    expect(stub.requests.at(-1)?.url).toContain("config.json");
    const note = readFileSync(join(folder, ".cache/huggingface/download/model.safetensors.metadata"), "utf8").split(
      "\n",
    );
    expect(note.slice(0, 2)).toEqual([COMMIT, sha256(WEIGHTS.bytes)]);
    expect(seen.at(-1)).toBe(95_000 + 12_345 + 28 + 9);
  });

  it("downloads nothing twice, and what was damaged since again", async () => {
    const stub = await startHubStub(FILES);
    const { folder } = await pull(stub);
    const before = rangesOf(stub).length;
    expect((await pull(stub, { folder })).outcome).toEqual(
      expect.arrayContaining([expect.objectContaining({ isNew: false })]),
    );
    expect(rangesOf(stub)).toHaveLength(before);
    truncateSync(join(folder, "model.safetensors"), 500);
    await pull(stub, { folder });
    expect(read(folder, "model.safetensors").equals(WEIGHTS.bytes)).toBe(true);
  });

  it("goes on where the connection breaks", async () => {
    const breaks: Misbehavior = (request, response, { isHub, file, count }) => {
      if (isHub || file !== WEIGHTS || count > 12 || count % 2 === 1) return false;
      const [, start = "0", end = "0"] = /(\d+)-(\d+)/.exec(request.headers.range ?? "") ?? [];
      response.writeHead(206, {
        "content-range": `bytes ${start}-${end}/95000`,
        "content-length": Number(end) - Number(start) + 1,
      });
      response.write(file.bytes.subarray(Number(start), Number(start) + 100), () => response.destroy());
      return true;
    };
    const stub = await startHubStub(FILES, breaks);
    const { folder, waits, outcome } = await pull(stub);
    expect(outcome).toHaveLength(4);
    expect(read(folder, "model.safetensors").equals(WEIGHTS.bytes)).toBe(true);
    expect(waits.length).toBeGreaterThan(0);
    // From the 101st byte of a part on.
    expect(rangesOf(stub).some((range) => /=\d*[1-9]?0?100-/.test(range ?? ""))).toBe(true);
  });

  it("goes on after the process was stopped, with the parts that it lacks", async () => {
    const stop = new AbortController();
    let served = 0;
    const stub = await startHubStub(FILES, (_request, response, { isHub, file }) => {
      if (isHub || file !== WEIGHTS || served++ < 4) return false;
      stop.abort();
      response.destroy();
      return true;
    });
    const { folder, outcome } = await pull(stub, { client: { signal: stop.signal }, options: { connections: 1 } });
    expect(outcome).toMatchObject({ code: "CANCELLED" });
    expect(existsSync(join(folder, "config.json"))).toBe(false);
    const again = await startHubStub(FILES);
    const shares: number[] = [];
    const onProgress = ({ doneBytes }: { doneBytes: number }) => void shares.push(doneBytes);
    await pull(again, { folder, options: { onProgress } });
    expect(rangesOf(again)).toHaveLength(6);
    expect(shares[0]).toBeGreaterThan(40_000);
    expect(read(folder, "model.safetensors").equals(WEIGHTS.bytes)).toBe(true);
    expect(readdirSync(folder).filter((name) => /download|segments|lock/.test(name))).toEqual([]);
  });

  it.each<readonly [string, number]>([
    ["7", 7000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["100000", 300_000],
  ])("waits as long as a server asks that limits its rate: %s", async (retryAfter, expected) => {
    const stub = await startHubStub(FILES, (_request, response, { count }) => {
      if (count > 0) return false;
      response.writeHead(429, { "retry-after": retryAfter }).end();
      return true;
    });
    const { waits, outcome } = await pull(stub, { options: { connections: 1 } });
    expect(outcome).toHaveLength(4);
    expect(new Set(waits)).toEqual(new Set([expected]));
  });

  it("waits longer each time without such a hint, and gives up", async () => {
    const stub = await startHubStub(FILES, (_request, response) => {
      response.writeHead(503).end();
      return true;
    });
    const { waits, outcome } = await pull(stub);
    expect(outcome).toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining("status 503 (6 attempts)"),
    });
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000]);
  });
});

describe("the token", () => {
  it("goes to the Hub and never to the server of the files", async () => {
    const stub = await startHubStub(FILES);
    await pull(stub, { client: { token: "hf_secret" } });
    for (const { isHub, authorization } of stub.requests) expect(authorization).toBe(isHub ? "Bearer hf_secret" : null);
  });

  it.each<readonly [string, number, Record<string, string>, string | null, RegExp]>([
    [
      "gated, without a token",
      401,
      { "x-error-code": "GatedRepo" },
      null,
      /gated: accept its license at .*org\/model.*set HF_TOKEN/,
    ],
    [
      "gated, with a token",
      403,
      { "x-error-code": "GatedRepo" },
      "hf_x",
      /gated: accept its license.*account of HF_TOKEN has not/,
    ],
    ["private, without a token", 401, {}, null, /needs a token in HF_TOKEN/],
    ["private, with a wrong token", 401, {}, "hf_x", /HF_TOKEN is not valid/],
    ["not there", 404, {}, null, /org\/model was not found/],
    ["without the revision", 404, { "x-error-code": "RevisionNotFound" }, null, /has no such revision/],
  ])("is asked for where the repository is %s", async (_name, status, headers, token, expected) => {
    const stub = await startHubStub(FILES, (_request, response) => {
      response.writeHead(status, headers).end();
      return true;
    });
    const { outcome } = await pull(stub, { client: { token } });
    expect(outcome).toMatchObject({ code: "MODEL_NOT_FOUND", message: expect.stringMatching(expected) });
    expect(String(outcome)).not.toContain("hf_x");
    expect(stub.requests).toHaveLength(1);
  });
});

/** Answers for the weights on the server of the files. */
function liar(answer: (response: Parameters<Misbehavior>[1], range: string) => void): Misbehavior {
  return (request, response, { isHub, file }) => {
    if (isHub || file !== WEIGHTS) return false;
    answer(response, request.headers.range ?? "");
    return true;
  };
}

describe("a server that lies", () => {
  it.each<readonly [string, Misbehavior, RegExp]>([
    [
      "has other bytes",
      liar((response, range) => sendRange({ path: "", bytes: Buffer.alloc(95_000) }, range, response)),
      /hash is wrong/,
    ],
    [
      "has a longer file",
      liar((response, range) => sendRange({ path: "", bytes: randomBytes(99_000) }, range, response)),
      /another size \(got 99000 bytes, expected 95000\)/,
    ],
    [
      "sends more than was asked for",
      liar((response, range) => {
        const start = /=(\d+)/.exec(range)?.[1];
        response.writeHead(206, { "content-range": `bytes ${start}-94999/95000` }).end(Buffer.alloc(95_000));
      }),
      /sent more of model\.safetensors/,
    ],
    [
      "sends another part",
      liar((response) => void response.writeHead(206, { "content-range": "bytes 7-8/95000" }).end("xx")),
      /another part/,
    ],
    ["ignores the range", liar((response) => void response.writeHead(200).end(WEIGHTS.bytes)), /ignores Range/],
    [
      "ends parts early for ever",
      liar((response, range) => {
        const [, start, end] = /=(\d+)-(\d+)/.exec(range) ?? [];
        response.writeHead(206, { "content-range": `bytes ${start}-${end}/95000` }).end();
      }),
      /the connection ended early \(6 attempts\)/,
    ],
    [
      "redirects for ever",
      liar((response) => void response.writeHead(302, { location: "/org/model/model.safetensors" }).end()),
      /redirects too often/,
    ],
    [
      "redirects to a file of this machine",
      liar((response) => void response.writeHead(302, { location: "file:///etc/passwd" }).end()),
      /redirects from http: to file:/,
    ],
  ])("and %s is not believed", async (_name, misbehave, expected) => {
    const { folder, outcome } = await pull(await startHubStub(FILES, misbehave));
    expect(isHiggsError(outcome)).toBe(true);
    expect(String(outcome)).toMatch(expected);
    expect(String(outcome)).not.toContain("secret");
    expect(existsSync(join(folder, "model.safetensors"))).toBe(false);
    expect(existsSync(join(folder, "config.json"))).toBe(false);
  });

  it.each(["../../evil.json", "/etc/evil.json", "a/../../evil.json", "a\\evil.json"])(
    "and lists a file outside the folder, %s, is not believed",
    async (path) => {
      const stub = await startHubStub(FILES, (request, response) => {
        if (request.url?.includes("/tree/") !== true) return false;
        response.end(JSON.stringify([{ type: "file", path, size: 1, oid: "0".repeat(40) }]));
        return true;
      });
      expect(String((await pull(stub)).outcome)).toContain("has an entry that cannot be used");
    },
  );

  it.each(["not JSON", "[]", "{}", '{"sha":"main"}'])("and answers %s is not believed", async (body) => {
    const stub = await startHubStub(FILES, (_request, response) => {
      response.end(body);
      return true;
    });
    expect((await pull(stub)).outcome).toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});

describe("the folder", () => {
  it("must have room, which is looked at before anything is downloaded", async () => {
    const stub = await startHubStub(FILES);
    space.freeBytes = 1000;
    const { outcome } = await pull(stub);
    space.freeBytes = null;
    expect(outcome).toMatchObject({
      code: "VOLUME_UNAVAILABLE",
      message: expect.stringContaining("too little free space"),
    });
    expect(rangesOf(stub)).toEqual([]);
  });

  it("must not hold weights of another layout", async () => {
    const folder = scratchDir();
    writeFileSync(join(folder, "model-00001-of-00003.safetensors"), "x");
    const { outcome } = await pull(await startHubStub(FILES), { folder });
    expect(outcome).toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("another revision or layout"),
    });
  });

  it("that cannot be written is named", async () => {
    const file = join(scratchDir(), "file");
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, "x");
    const { outcome } = await pull(await startHubStub(FILES), { folder: join(file, "model") });
    expect(outcome).toMatchObject({ code: "VOLUME_UNAVAILABLE" });
  });
});
