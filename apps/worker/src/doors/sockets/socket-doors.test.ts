import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { fakeModel } from "../../testing/fake-model.ts";
import { closeServedDoors, serveDoors } from "../../testing/served-doors.ts";
import { closeSockets, openSocket, RefusedError, type SocketClient } from "../../testing/socket-client.ts";

afterEach(async () => {
  closeSockets();
  await closeServedDoors();
});

const SPEECH = "/v1/audio/speech/stream";
const SINGLE = "/v1/text-to-speech/profile:male_en/stream-input?output_format=pcm_24000";
const MULTI = "/v1/text-to-speech/profile:male_en/multi-stream-input?output_format=pcm_24000";
const PATHS = [SPEECH, SINGLE, MULTI];
const CONFIG = { type: "session.config", voice: "profile:male_en" };
const LONG = { type: "input.text", text: "One is here. Two is here. Three is here. " };

async function refusal(url: string, headers: Readonly<Record<string, string>> = {}): Promise<RefusedError> {
  const refused: unknown = await openSocket(url, headers).then(
    () => null,
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(RefusedError);
  return refused as RefusedError;
}

describe("who may open a WebSocket", () => {
  it("nobody without the key, where there is one; a wrong key is refused on every path", async () => {
    const { url } = await serveDoors({ env: { HIGGS_API_KEY: "right" } });
    for (const path of PATHS) {
      for (const name of ["authorization", "xi-api-key"]) {
        if (path === SPEECH && name === "xi-api-key") continue;
        const { status, body } = await refusal(url + path, { [name]: "Bearer wrong" });
        expect([status, body]).toEqual([401, expect.stringContaining("UNAUTHORIZED")]);
        await openSocket(url + path, { [name]: "Bearer right" });
      }
    }
    expect((await refusal(url + SPEECH)).status).toBe(401);
    expect((await refusal(url + SPEECH, { "xi-api-key": "right" })).status).toBe(401);
  });

  it("ElevenLabs' clients may send the key in their first message, and nothing is done before it", async () => {
    const model = fakeModel({ isLive: true, frames: 2 });
    const { url } = await serveDoors({ model, env: { HIGGS_API_KEY: "right" } });
    for (const first of [
      { text: "Hello. " },
      { text: " ", xi_api_key: "wrong" },
      { text: " ", authorization: "Bearer x" },
    ]) {
      const client = await openSocket(url + SINGLE);
      client.send(first);
      expect(await client.until(({ error }) => error !== undefined)).toMatchObject({ error: "invalid_api_key" });
      expect((await client.closed).code).toBe(1008);
    }
    expect(model.requests).toEqual([]);
    const client = await openSocket(url + SINGLE);
    client.send({ text: " ", xi_api_key: "right" }, { text: "Hello. " }, { text: "" });
    expect((await client.closed).code).toBe(1000);
    expect(model.requests).toHaveLength(1);
  });

  it("no page of another origin and nobody under another name, where there is no key", async () => {
    const { url } = await serveDoors();
    for (const path of PATHS) {
      for (const headers of [{ origin: "https://evil.example" }, { host: "evil.example" }]) {
        const { status, body } = await refusal(url + path, headers);
        expect([status, body]).toEqual([403, expect.stringContaining("FORBIDDEN")]);
      }
      await openSocket(url + path, { origin: url });
    }
  });

  it("pages of origins that are allowed", async () => {
    const { url } = await serveDoors({ env: { HIGGS_CORS_ORIGINS: "https://app.example" } });
    await openSocket(url + SPEECH, { origin: "https://app.example" });
    expect((await refusal(url + SPEECH, { origin: "https://evil.example" })).status).toBe(403);
  });

  it("no more than HIGGS_MAX_SOCKETS, and again when one has gone", async () => {
    const { url } = await serveDoors({ env: { HIGGS_MAX_SOCKETS: "2" } });
    const [first] = [await openSocket(url + SPEECH), await openSocket(url + MULTI)];
    const { status, headers, body } = await refusal(url + SPEECH);
    expect(status).toBe(429);
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    expect(body).toContain("HIGGS_MAX_SOCKETS");
    first.socket.close();
    await first.closed;
    await expect
      .poll(() =>
        openSocket(url + SPEECH).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });

  it.each([
    ["a path without one", "/v1/audio/speech", 404],
    ["an address that is none", "//", 404],
    ["a key in the path's place", "/v1/text-to-speech/a/b/stream-input", 404],
  ])("%s is answered as HTTP", async (_, path, status) => {
    const { url } = await serveDoors();
    expect((await refusal(url + path)).status).toBe(status);
  });
});

describe("bad clients", () => {
  const handshake = (path: string, version: number): string =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: ${version}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

  it("bytes that are not the protocol, and connections that break off, end only themselves", async () => {
    const { url } = await serveDoors();
    const { port } = new URL(url);
    for (const bytes of [
      handshake(SPEECH, 12),
      `${handshake(SPEECH, 13)}${"\xff".repeat(100)}`,
      handshake(SPEECH, 13),
    ]) {
      const socket = connect(Number(port), "127.0.0.1");
      const answered = new Promise((resolve) => socket.once("data", resolve));
      socket.on("error", () => undefined);
      socket.write(Buffer.from(bytes, "latin1"));
      await answered;
      socket.resetAndDestroy();
    }
    const client = await openSocket(url + SPEECH);
    client.send(CONFIG);
    expect(await client.untilType("session.configured")).toMatchObject({ response_format: "pcm" });
  });

  it("one that reads nothing holds one sentence, and is not spoken to further", async () => {
    // 40 seconds of audio a sentence: more than the system takes for a reader that stands still.
    const model = fakeModel({ isLive: true, frames: 1000 });
    const { url, server } = await serveDoors({ model });
    const client = await openSocket(url + SPEECH);
    client.send({ ...CONFIG, sample_rate: 24_000 });
    await client.untilType("session.configured");
    client.socket.pause();
    for (let index = 0; index < 10; index++) client.send(LONG);
    await expect.poll(() => server.api.queue.answers.usedBytes, { timeout: 20_000 }).toBeGreaterThan(1024 * 1024);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const spoken = model.requests.length;
    expect(spoken).toBeLessThan(10);
    expect(server.api.queue.answers.usedBytes).toBeLessThan(4 * 1024 * 1024);
    client.socket.resume();
    await expect.poll(() => model.requests.length, { timeout: 20_000 }).toBeGreaterThan(spoken);
    client.socket.terminate();
    await expect.poll(() => server.api.queue.answers.usedBytes, { timeout: 20_000 }).toBe(0);
  });

  it("200 that only sit there cost nothing but their place", async () => {
    const { url } = await serveDoors({ model: fakeModel({ isLive: true, frames: 2 }) });
    const clients: SocketClient[] = [];
    for (let index = 0; index < 200; index++) clients.push(await openSocket(url + SPEECH));
    const [client] = clients;
    client?.send(CONFIG, LONG, { type: "input.done" });
    expect(await client?.untilType("session.done")).toMatchObject({ total_sentences: 3 });
  });
});

it("a server that ends closes its WebSockets", async () => {
  const { url } = await serveDoors();
  const client = await openSocket(url + SPEECH);
  await closeServedDoors();
  expect((await client.closed).code).toBe(1006);
});
