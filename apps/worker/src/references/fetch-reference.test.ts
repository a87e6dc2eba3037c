import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { fetchReference, type FetchReferenceOptions } from "./fetch-reference.ts";
import { failureOf } from "../testing/failure-of.ts";
import { startForwardProxy } from "../testing/forward-proxy.ts";
import { TLS_IDENTITY } from "../testing/tls-identity.ts";

const limits = { maxBytes: 100_000, timeoutMs: 2_000, maxRedirects: 3 };

async function serve(listener: RequestListener): Promise<{ url: string; port: number; requests: string[] }> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(`${request.headers.host}${request.url}`);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests };
}

const get = (url: string, options: Partial<FetchReferenceOptions> = {}) =>
  fetchReference(url, { where: "ref_audio", limits, allowLoopback: true, ...options });

describe("fetchReference()", () => {
  it("reads a file", async () => {
    const { url } = await serve((_, response) => response.end("audio"));
    expect((await get(url)).toString()).toBe("audio");
  });

  it.each([
    "http://127.0.0.1:1/a.wav",
    "https://127.0.0.1:1/a.wav",
    "https://localhost:1/a.wav",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://127。0。0。1/",
    "file:///etc/passwd",
    "ftp://example.com/a.wav",
    "gopher://127.0.0.1/",
    "https://user:secret@example.com/",
    "https://",
    "http://example.com/a.wav",
  ])("refuses %s before any connection", async (url) => {
    const failure = await failureOf(get(url, { allowLoopback: false }));
    expect(failure).toMatch(/^REFERENCE_REFUSED: Cannot use ref_audio: /);
    expect(failure).not.toContain("secret");
  });

  it("connects to the address that was checked, though the name means another one later", async () => {
    const server = await serve((_, response) => response.end("audio"));
    const answers = [["127.0.0.1"], ["10.0.0.1"]];
    let asked = 0;
    const resolve = async () => (answers[asked++] ?? []).map((address) => ({ address, family: 4 }));
    const url = `http://rebind.test:${server.port}/a.wav`;
    expect((await get(url, { resolve })).toString()).toBe("audio");
    expect(asked).toBe(1);
    expect(server.requests).toEqual([`rebind.test:${server.port}/a.wav`]);
    expect(await failureOf(get(url, { resolve }))).toMatch(/^REFERENCE_REFUSED/);
    expect(server.requests).toHaveLength(1);
  });

  it("refuses a name of which only one address is private", async () => {
    const resolve = async () => ["93.184.216.34", "192.168.0.1"].map((address) => ({ address, family: 4 }));
    expect(await failureOf(get("https://both.test/", { resolve, allowLoopback: false }))).toMatch(/^REFERENCE_REFUSED/);
  });

  it.each(["http://10.0.0.1/", "https://169.254.169.254/", "file:///etc/passwd", "//[::ffff:10.0.0.1]/", "data:,x"])(
    "refuses a redirect to %s",
    async (location) => {
      const { url } = await serve((_, response) => response.writeHead(302, { location }).end());
      expect(await failureOf(get(url))).toMatch(/^REFERENCE_REFUSED/);
    },
  );

  it("follows three redirects, not four", async () => {
    const { url, requests } = await serve(({ url: path = "" }, response) => {
      const left = Number(path.slice(1));
      if (left === 0) response.end("audio");
      else response.writeHead(307, { location: `/${left - 1}` }).end();
    });
    expect((await get(`${url}/3`)).toString()).toBe("audio");
    expect(await failureOf(get(`${url}/4`))).toMatch(/^REFERENCE_INVALID: .*redirects too often .*limit 3/);
    expect(requests).toHaveLength(8);
  });

  it("stops a body that never ends at the limit", async () => {
    const sent = { bytes: 0 };
    const { url } = await serve((_, response) => {
      const send = (): void => {
        if (response.destroyed) return;
        sent.bytes += 16_384;
        response.write(Buffer.alloc(16_384), () => setImmediate(send));
      };
      send();
    });
    expect(await failureOf(get(url))).toMatch(/^REFERENCE_INVALID: .*too large \(limit 100000 bytes\)/);
    expect(sent.bytes).toBeLessThan(8_000_000);
  });

  it("believes a large content-length at once", async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(200, { "content-length": "9999999999" }).write("x"),
    );
    expect(await failureOf(get(url))).toMatch(/^REFERENCE_INVALID: .*too large/);
  });

  it("gives up on a slow body, a silent server, and one that hangs up", async () => {
    const drip = await serve((_, response) => {
      const timer = setInterval(() => response.write("x"), 20);
      response.on("close", () => clearInterval(timer));
    });
    const fast = { limits: { ...limits, timeoutMs: 200 } };
    expect(await failureOf(get(drip.url, fast))).toMatch(/^REFERENCE_INVALID: .*too slow \(limit 200 ms\)/);
    const silent = await serve(() => undefined);
    expect(await failureOf(get(silent.url, fast))).toMatch(/^REFERENCE_INVALID: .*too slow/);
    const stuck = { ...fast, resolve: () => new Promise<never>(() => undefined) };
    expect(await failureOf(get("https://stuck.test/", stuck))).toMatch(/^REFERENCE_INVALID: .*too slow/);
    const rude = await serve(
      (_, response) => void response.writeHead(200, { "content-length": "10" }).write("x", () => response.destroy()),
    );
    expect(await failureOf(get(rude.url))).toMatch(/^REFERENCE_INVALID: .*cannot be read \(ECONNRESET\)/);
  });

  it.each<[string, RequestListener]>([
    ["status 404", (_, response) => response.writeHead(404).end("no")],
    ["status 500", (_, response) => response.writeHead(500).end()],
    ["status 206", (_, response) => response.writeHead(206).end("part")],
    ["compressed", (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("bomb")],
    ["sent nothing", (_, response) => response.end()],
  ])("%s is refused", async (reason, listener) => {
    const { url } = await serve(listener);
    const failure = await failureOf(get(url));
    expect(failure).toMatch(/^REFERENCE_INVALID: /);
    expect(failure).toContain(reason);
  });

  it("stops reading when the first bytes are not audio", async () => {
    const { url } = await serve((_, response) => {
      response.write(Buffer.alloc(5_000));
      setTimeout(() => response.end(Buffer.alloc(50_000)), 100);
    });
    const checkStart = (bytes: Uint8Array) => {
      throw new Error(`seen ${bytes.length >= 4096}`);
    };
    expect(await failureOf(get(url, { checkStart }))).toMatch(/^REFERENCE_INVALID/);
  });

  it("an abort ends it as cancelled", async () => {
    const { url } = await serve(() => undefined);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 50);
    expect(await failureOf(get(url, { signal: controller.signal }))).toMatch(/^CANCELLED: /);
  });

  it("a host that does not exist, and a port that nothing listens on", async () => {
    const resolve = async () => {
      throw Object.assign(new Error("no"), { code: "ENOTFOUND" });
    };
    expect(await failureOf(get("https://nowhere.test/", { resolve }))).toMatch(/^REFERENCE_INVALID: .*ENOTFOUND/);
    expect(await failureOf(get("http://127.0.0.1:1/"))).toMatch(/^REFERENCE_INVALID: .*ECONNREFUSED/);
    const failure = await failureOf(get("https://empty.test/", { resolve: async () => [] }));
    expect(failure).toContain("does not resolve");
  });
});

describe("through a proxy", () => {
  const names = async () => [{ address: "93.184.216.34", family: 4 }];

  it("the proxy is asked for the address that was checked, and TLS for the name", async () => {
    const server = createTlsServer(TLS_IDENTITY, (request, response) =>
      response.end(`audio for ${request.headers.host}`),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const proxy = await startForwardProxy((server.address() as AddressInfo).port, { credentials: "me:p@ss" });
    const proxies = { httpProxy: null, httpsProxy: proxy.url.replace("//", "//me:p%40ss@"), noProxy: null };
    const options = { allowLoopback: false, proxies, resolve: names, ca: TLS_IDENTITY.cert };
    expect((await get("https://store.test/a.wav", options)).toString()).toBe("audio for store.test");
    expect(proxy.requests).toEqual(["CONNECT 93.184.216.34:443"]);
    expect(await failureOf(get("https://other.test/a.wav", options))).toMatch(/ERR_TLS_CERT_ALTNAME_INVALID/);
  });

  it.each([
    "https://169.254.169.254/latest/meta-data/",
    "https://localhost/",
    "http://example.com/",
    "https://[::ffff:10.0.0.1]/",
    "https://inside.test/",
  ])("%s is refused before the proxy hears of it", async (url) => {
    const proxy = await startForwardProxy(1);
    const proxies = { httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: null };
    const resolve = async () => [{ address: "10.1.2.3", family: 4 }];
    expect(await failureOf(get(url, { allowLoopback: false, proxies, resolve }))).toMatch(/^REFERENCE_REFUSED/);
    expect(proxy.requests).toEqual([]);
  });

  it("a redirect is checked again, and NO_PROXY goes directly", async () => {
    const target = await serve((_, response) => response.writeHead(302, { location: "https://10.0.0.1/" }).end());
    const proxy = await startForwardProxy(target.port);
    const proxies = { httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: null };
    // Nothing listens at port 9, so that only what goes through the proxy arrives.
    const url = "http://127.0.0.1:9/a";
    expect(await failureOf(get(url, { proxies }))).toMatch(/^REFERENCE_REFUSED/);
    expect([proxy.requests, target.requests]).toEqual([["CONNECT 127.0.0.1:9"], ["127.0.0.1:9/a"]]);
    expect(await failureOf(get(url, { proxies: { ...proxies, noProxy: "127.0.0.1" } }))).toMatch(/ECONNREFUSED/);
    expect(proxy.requests).toHaveLength(1);
  });

  it("a proxy that refuses is said to be the reason", async () => {
    const proxy = await startForwardProxy(1, { refusal: 403 });
    const proxies = { httpProxy: null, httpsProxy: proxy.url, noProxy: null };
    expect(await failureOf(get("https://store.test/", { allowLoopback: false, proxies, resolve: names }))).toMatch(
      /^REFERENCE_INVALID: .*the proxy refused the connection \(HTTP 403\)/,
    );
  });
});

it("says who asks, since some servers refuse requests without a name", async () => {
  let agent: string | undefined;
  const { url } = await serve((request, response) => {
    agent = request.headers["user-agent"];
    response.end("audio");
  });
  await get(url);
  expect(agent).toMatch(/^worker-higgs-audio/);
});

it.each(["", "identity", "Identity", " IDENTITY "])("Content-Encoding %j is not compressed", async (encoding) => {
  const { url } = await serve((_, response) => response.writeHead(200, { "content-encoding": encoding }).end("audio"));
  expect((await get(url)).toString()).toBe("audio");
});
