import { request as httpRequest } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { emulate } from "../emulator/testing/still-emulator.ts";
import { closeServedHandlers, serveHandler } from "./testing/served-handler.ts";

afterEach(closeServedHandlers);

const KEY = "the-right-key";
const METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"] as const;

/** The routes that need no key. All other routes, even ones added later, need it. */
const OPEN_PATHS = ["/ping", "/ready", "/health", "/:endpoint/health", "/v2/:endpoint/health"];

interface RoutedApp {
  readonly routes: readonly { readonly path: string }[];
  request(path: string, init: RequestInit): Response | Promise<Response>;
}

/** The paths of the router's own table; wildcards stand for paths that do not exist. */
function pathsOf(app: RoutedApp): string[] {
  return [...new Set(app.routes.map(({ path }) => path))];
}

function filled(path: string): string {
  return path
    .replace("/:endpoint", "/ep1")
    .replace(":id", "some-id")
    .replaceAll(/:(\w+)\?*/g, "$1")
    .replace("*", "v1/anything");
}

/** Other spellings of a path that a router, or a proxy in front of it, might treat as the same. */
function spellingsOf(path: string): string[] {
  const letter = path.replace(/[a-z]/, (found) => `%${(found.codePointAt(0) ?? 0).toString(16)}`);
  return [
    path,
    `${path}/`,
    `/${path}`,
    `${path}//`,
    path.toUpperCase(),
    letter,
    path.replaceAll("/", "%2F").replace("%2F", "/"),
    `${path}?key=${KEY}`,
    `/ping/..;${path}`,
    `/ping%2F..${path}`,
  ];
}

async function ask(app: RoutedApp, method: string, path: string, authorization?: string) {
  const headers = { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) };
  const body = method === "GET" || method === "HEAD" ? {} : { body: JSON.stringify({ id: "mine", input: 1 }) };
  const response = await app.request(`http://localhost${path}`, { method, headers, ...body });
  return { status: response.status, text: await response.text() };
}

const WRONG_KEYS = [
  "",
  "wrong",
  `Bearer ${KEY}x`,
  `Bearer ${KEY.slice(1)}`,
  `Basic ${KEY}`,
  "Bearer",
  KEY.toUpperCase(),
];

describe("a server with a key", () => {
  it("answers no route of its table, in no spelling and by no method, without the key", async () => {
    let runs = 0;
    const served = await serveHandler(() => (runs += 1), {
      apiKey: KEY,
      realtimeEndpointId: "ep1",
      about: () => ({ model: "secret-model" }),
    });
    const { app } = served.server.api;
    const paths = pathsOf(app);
    // The table must contain the routes that this test is about.
    expect(paths).toEqual(expect.arrayContaining(["/run", "/ep1/realtime", "/v2/:endpoint/openai/*", ...OPEN_PATHS]));
    const let_in: string[] = [];
    for (const path of paths) {
      for (const spelling of spellingsOf(filled(path))) {
        for (const method of METHODS) {
          const { status, text } = await ask(app, method, spelling);
          expect(text).not.toContain("secret-model");
          expect(text).not.toContain("inQueue");
          if (status !== 401) let_in.push(path);
        }
      }
      for (const key of WRONG_KEYS) {
        const { status, text } = await ask(app, "POST", filled(path), key);
        expect([path, key, status]).toEqual([path, key, 401]);
        expect(text).not.toContain("secret-model");
      }
    }
    expect([...new Set(let_in)].sort()).toEqual([...OPEN_PATHS].sort());
    expect(runs).toBe(0);
  });

  it("POST /ep1/realtime without the key is 401 and runs nothing, with it the job's result", async () => {
    let runs = 0;
    const served = await serveHandler(() => (runs += 1), { apiKey: KEY, realtimeEndpointId: "ep1" });
    const body = { id: "mine", input: 1 };
    expect(await served.call("POST", "/ep1/realtime", body)).toMatchObject({
      status: 401,
      body: { code: "UNAUTHORIZED", retryable: false },
    });
    expect(runs).toBe(0);
    const headers = { authorization: `Bearer ${KEY}` };
    expect(await served.call("POST", "/ep1/realtime", body, headers)).toMatchObject({
      status: 200,
      body: { output: 1 },
    });
  });

  it("lets those with the key in everywhere", async () => {
    const served = await serveHandler(() => 1, { apiKey: KEY, realtimeEndpointId: "ep1" });
    const { app } = served.server.api;
    for (const path of pathsOf(app)) {
      for (const method of METHODS) {
        for (const key of [KEY, `Bearer ${KEY}`, `bearer ${KEY}`]) {
          expect((await ask(app, method, filled(path), key)).status).not.toBe(401);
        }
      }
    }
  });

  it("tells those without it of /ping and /health only whether it is ready; a wrong key is refused there as well", async () => {
    const served = await serveHandler(() => 1, { apiKey: KEY, about: () => ({ model: "secret-model" }) });
    expect((await served.call("GET", "/ping")).status).toBe(200);
    expect((await served.call("GET", "/v2/x/health")).body).toEqual({ status: "ready" });
    expect((await served.call("GET", "/health", undefined, { authorization: "wrong" })).status).toBe(401);
    const right = await served.call("GET", "/health", undefined, { authorization: KEY });
    expect(right.body).toMatchObject({ model: "secret-model", jobs: { inQueue: 0 } });
  });

  it("does not start with an empty key", async () => {
    await expect(serveHandler(() => 1, { apiKey: "" })).rejects.toThrow("it is empty");
  });
});

describe("an emulator with a key", () => {
  it("needs it for clients and for controls, and the workers' own key for theirs", async () => {
    const { emulator, worker } = await emulate({ apiKey: KEY });
    const call = async (method: string, path: string, headers: Record<string, string> = {}) => {
      const body = method === "GET" ? {} : { body: "{}" };
      return (await fetch(emulator.url + path, { method, headers, ...body })).status;
    };
    const controls = ["", "/requests", "/workers", "/violations", "/faults"].map((path) => ["GET", path]);
    const changes = ["/clock", "/jobs", "/faults", "/freeze", "/forget", "/workers/w1/signal"].map((path) => [
      "POST",
      path,
    ]);
    for (const [method = "", path = ""] of [...controls, ...changes, ["DELETE", "/faults"]]) {
      for (const spelling of [path, `${path}/`, `/${path}`]) {
        expect(await call(method, `/_emulator${spelling}`), path).toBe(401);
        expect(await call(method, `/_emulator${spelling}`, { authorization: "emulator-worker-key" }), path).toBe(401);
      }
      expect(await call(method, `/_emulator${path}`, { authorization: KEY }), path).not.toBe(401);
    }
    expect(await call("POST", "/v2/emulated/run")).toBe(401);
    expect(await call("GET", "/v2/emulated/health")).toBe(200);
    expect((await worker.ping()).status).toBe(200);
    expect(await call("GET", "/v2/emulated/ping/w1", { authorization: KEY })).toBe(401);
    for (const path of ["/v2/emulated/job-take/w1", "/v2/emulated/job-take", "/v2/emulated/job-done/w1/j1"]) {
      for (const method of ["GET", "POST", "PUT"]) expect(await call(method, path)).toBe(401);
    }
  });
});

/** A request with exactly these headers, as a browser would send it; `fetch` does not allow some of them. */
function send(port: number, method: string, path: string, headers: Record<string, string>, body = "") {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

describe("a server of this machine without a key", () => {
  const job = JSON.stringify({ input: 1 });

  it("does not run the job of a web page's text/plain form, nor of curl -d without a header, and says what to send", async () => {
    let runs = 0;
    const { server } = await serveHandler(() => (runs += 1), { realtimeEndpointId: "ep1" });
    for (const type of [
      "text/plain",
      "text/plain;charset=UTF-8",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
    ]) {
      for (const path of ["/run", "/runsync", "/v2/x/runsync", "/openai/v1/audio/speech", "/ep1/realtime"]) {
        const { status, text } = await send(
          server.port,
          "POST",
          path,
          { host: "localhost", "content-type": type },
          job,
        );
        expect([path, status]).toEqual([path, 415]);
        expect(text).toContain("Content-Type: application/json");
      }
    }
    // As a page sends a Blob, without a type.
    const blob = await send(server.port, "POST", "/runsync", { host: "localhost", origin: "http://localhost" }, job);
    expect(blob.status).toBe(415);
    expect(runs).toBe(0);
    for (const type of ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"']) {
      const answer = await send(server.port, "POST", "/runsync", { host: "localhost", "content-type": type }, job);
      expect(answer.status).toBe(200);
    }
  });

  it("serves no other host's name, so that no page can read it by DNS rebinding", async () => {
    const { server } = await serveHandler(() => 1);
    for (const host of [
      "evil.example",
      "evil.example:80",
      "127.0.0.1.evil.example",
      "0.0.0.0",
      "localhost.evil.example",
      "x",
    ]) {
      for (const path of ["/requests", "/health", "/ping", "/v2/x/status/1"]) {
        expect([host, path, (await send(server.port, "GET", path, { host })).status]).toEqual([host, path, 403]);
      }
    }
    for (const host of [
      "localhost",
      `localhost:${server.port}`,
      "127.0.0.1:9000",
      "[::1]:80",
      "LOCALHOST",
      "app.localhost",
    ]) {
      expect([host, (await send(server.port, "GET", "/requests", { host })).status]).toEqual([host, 200]);
    }
  });

  it.each([
    [{ origin: "https://evil.example" }],
    [{ origin: "null" }],
    [{ origin: "http://localhost:3000" }],
    [{ "sec-fetch-site": "cross-site" }],
    [{ "sec-fetch-site": "same-site" }],
  ])("refuses what a page of another origin sends: %j", async (page) => {
    let runs = 0;
    const { server } = await serveHandler(() => (runs += 1));
    const headers: Record<string, string> = {
      host: `localhost:${server.port}`,
      "content-type": "application/json",
      ...page,
    };
    for (const path of ["/runsync", "/purge-queue", "/cancel/x"]) {
      expect((await send(server.port, "POST", path, headers, job)).status).toBe(403);
    }
    expect((await send(server.port, "GET", "/openai/v1/models", headers)).status).toBe(403);
    expect(runs).toBe(0);
  });

  it("the emulator is guarded in the same way, its controls included", async () => {
    const { emulator } = await emulate();
    const port = Number(new URL(emulator.url).port);
    for (const path of ["/_emulator/requests", "/v2/emulated/requests"]) {
      expect((await send(port, "GET", path, { host: "evil.example" })).status).toBe(403);
    }
    const page = { host: `127.0.0.1:${port}`, origin: "https://evil.example" };
    expect((await send(port, "POST", "/_emulator/jobs", page, job)).status).toBe(403);
    expect(emulator.queue.records()).toEqual([]);
  });

  it("a server for others is called by any name", async () => {
    const { server } = await serveHandler(() => 1, { host: "0.0.0.0" });
    expect((await send(server.port, "GET", "/requests", { host: "speech.example" })).status).toBe(200);
    const page = { host: "speech.example", origin: "https://app.example", "content-type": "application/json" };
    expect((await send(server.port, "POST", "/runsync", page, job)).status).toBe(200);
  });
});

describe("bodies that are not JSON in UTF-8", () => {
  const transcript = (bytes: string, encoding: BufferEncoding = "latin1") =>
    Buffer.concat([Buffer.from('{"input":{"transcript":"'), Buffer.from(bytes, encoding), Buffer.from('"}}')]);

  async function post(body: Buffer<ArrayBuffer>, headers: Record<string, string> = {}) {
    const heard: unknown[] = [];
    const served = await serveHandler((job) => heard.push(job.input));
    const answers: { status: number; error: unknown }[] = [];
    for (const path of ["/run", "/runsync", "/openai/v1/audio/speech"]) {
      const init = { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
      const response = await fetch(served.server.url + path, init);
      answers.push({ status: response.status, error: ((await response.json()) as { error?: unknown }).error });
    }
    return { answers, heard };
  }

  it.each([
    ["Latin-1", transcript("Gr\xfc\xdfe")],
    ["a cut character", transcript("c3", "hex")],
    ["an overlong one", transcript("c0af", "hex")],
    ["a surrogate", transcript("eda080", "hex")],
    ["UTF-16", Buffer.from('\ufeff{"input":1}', "utf16le")],
  ])("%s is 400, not a replacement character that is spoken", async (_name, body) => {
    const { answers, heard } = await post(body);
    for (const { status, error } of answers) {
      expect(status).toBe(400);
      expect(error).toMatch(/not valid UTF-8|not JSON/);
    }
    expect(heard).toEqual([]);
  });

  it("another charset or a compressed body is 415", async () => {
    const body = Buffer.from('{"input":1}');
    for (const headers of [
      { "content-type": "application/json; charset=iso-8859-1" },
      { "content-type": 'application/json;charset="utf-16"' },
      { "content-encoding": "gzip" },
    ]) {
      const { answers, heard } = await post(body, headers);
      expect(answers.map(({ status }) => status)).toEqual([415, 415, 415]);
      expect(heard).toEqual([]);
    }
  });

  it("a byte-order mark is left out, text of all planes arrives whole", async () => {
    const { answers, heard } = await post(Buffer.from('\ufeff{"input":"Grüße 👋"}'));
    expect(answers.map(({ status }) => status).slice(0, 2)).toEqual([200, 200]);
    expect(heard.slice(0, 2)).toEqual(["Grüße 👋", "Grüße 👋"]);
  });
});
