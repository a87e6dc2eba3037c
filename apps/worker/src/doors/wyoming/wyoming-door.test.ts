import { connect, type Socket } from "node:net";
import { HiggsError } from "@higgs-worker/base";
import { afterEach, describe, expect, it } from "vitest";
import { fakeModel, type FakeModelOptions } from "../../testing/fake-model.ts";
import { closeServedDoors, serveDoors } from "../../testing/served-doors.ts";
import { encodeWyomingEvent, type WyomingEvent } from "./wyoming-event.ts";
import { WyomingServer } from "./wyoming-server.ts";

const servers: WyomingServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server[Symbol.asyncDispose]()));
  await closeServedDoors();
});

/** A client that reads events on its own: a line of JSON, data, payload. */
class Client {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  readonly closed: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (bytes) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#wake();
    });
    this.socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => void this.socket.once("close", () => resolve()));
  }

  send(type: string, data: Readonly<Record<string, unknown>> = {}): void {
    this.socket.write(encodeWyomingEvent({ type, data }));
  }

  async next(): Promise<WyomingEvent> {
    for (;;) {
      const event = this.#take();
      if (event !== null) return event;
      await new Promise<void>((resolve) => void (this.#wake = resolve));
    }
  }

  async upTo(...types: string[]): Promise<WyomingEvent[]> {
    const events: WyomingEvent[] = [];
    for (;;) {
      const event = await this.next();
      events.push(event);
      if (types.includes(event.type)) return events;
    }
  }

  #take(): WyomingEvent | null {
    const end = this.#bytes.indexOf("\n");
    if (end === -1) return null;
    const head = JSON.parse(this.#bytes.toString("utf8", 0, end)) as Record<string, number | string>;
    const data = Number(head["data_length"] ?? 0);
    const payload = Number(head["payload_length"] ?? 0);
    const start = end + 1;
    if (this.#bytes.length < start + data + payload) return null;
    const event = {
      type: String(head["type"]),
      data: JSON.parse(this.#bytes.toString("utf8", start, start + data) || "{}") as Record<string, unknown>,
      payload: this.#bytes.subarray(start + data, start + data + payload),
    };
    this.#bytes = this.#bytes.subarray(start + data + payload);
    return event;
  }
}

async function start(options: FakeModelOptions = {}, own: { idleTimeoutMs?: number; maxTextChars?: number } = {}) {
  const server = await WyomingServer.listen({ host: "127.0.0.1", port: 0, maxTextChars: 1_000, ...own });
  servers.push(server);
  const model = fakeModel(options);
  const doors = await serveDoors({ model, onOpen: (parts) => server.open(parts) });
  return { client: new Client(server.port), model, doors, port: server.port };
}

const audioOf = (events: readonly WyomingEvent[]) =>
  Buffer.concat(events.map(({ payload = new Uint8Array() }) => payload));

describe("the Wyoming server", () => {
  it("describes itself with the voices that can be chosen", async () => {
    const { client } = await start();
    client.send("describe");
    const { type, data } = await client.next();
    expect(type).toBe("info");
    expect(data).toMatchObject({
      asr: [],
      tts: [{ name: "higgs", installed: true, supports_synthesize_streaming: true }],
    });
    const [{ voices } = { voices: [] }] = data["tts"] as { voices: { name: string; languages: string[] }[] }[];
    expect(voices.map(({ name }) => name)).toContain("alloy");
    expect(voices.every(({ languages }) => languages.includes("en"))).toBe(true);
  });

  it("speaks a text as raw samples between start and stop, and answers twice in one connection", async () => {
    const { client, model } = await start();
    for (const text of ["Good morning.", "Good night."]) {
      client.send("synthesize", { text, voice: { name: "profile:male_en" } });
      const events = await client.upTo("audio-stop", "error");
      expect([events.at(0)?.type, events.at(-1)?.type]).toEqual(["audio-start", "audio-stop"]);
      expect(events[0]?.data).toMatchObject({ rate: 24_000, width: 2, channels: 1 });
      // One second of the model that hums.
      expect(audioOf(events)).toHaveLength(48_000);
    }
    expect(model.requests.map(({ transcript }) => transcript)).toEqual(["Good morning.", "Good night."]);
  });

  it("speaks text while it comes, sentence by sentence, once though the whole text comes too", async () => {
    const { client, model } = await start();
    const voice = { name: "profile:male_en" };
    client.send("synthesize-start", { voice });
    client.send("synthesize-chunk", { text: "The first sentence is complete now. The sec" });
    expect((await client.next()).type).toBe("audio-start");
    client.send("synthesize-chunk", { text: "ond one ends here" });
    client.send("synthesize", { text: "The first sentence is complete now. The second one ends here", voice });
    client.send("synthesize-stop");
    const events = await client.upTo("synthesize-stopped", "error");
    expect(events.slice(-2).map(({ type }) => type)).toEqual(["audio-stop", "synthesize-stopped"]);
    expect(audioOf(events)).toHaveLength(2 * 48_000);
    expect(model.requests.map(({ transcript }) => transcript)).toEqual([
      "The first sentence is complete now.",
      "The second one ends here",
    ]);
  });

  it.each([
    ["an unknown voice", { text: "Hello.", voice: { name: "nobody" } }, "VOICE_NOT_FOUND"],
    [
      "an unknown speaker of a voice",
      { text: "Hello.", voice: { name: "alloy", speaker: "nobody" } },
      "VOICE_NOT_FOUND",
    ],
    ["no text", {}, "INVALID_INPUT"],
    ["a text without words", { text: "..." }, "INVALID_INPUT"],
    ["SSML", { text: "<speak>Hi</speak>", text_format: "ssml" }, "NOT_SUPPORTED"],
  ])("says with a code what is wrong with %s, and goes on", async (_name, data, code) => {
    const { client, model } = await start();
    client.send("synthesize", data);
    const failure = (await client.upTo("error", "audio-stop")).at(-1);
    expect(failure).toMatchObject({ type: "error", data: { code, text: expect.stringContaining(code) } });
    expect(model.requests).toEqual([]);
    client.send("ping", { text: "still there" });
    expect(await client.next()).toMatchObject({ type: "pong", data: { text: "still there" } });
  });

  it("says that the speech failed", async () => {
    const { client } = await start({ fail: new HiggsError("GENERATION_FAILED", "make audio", "too quiet") });
    client.send("synthesize", { text: "Hello.", voice: { name: "profile:male_en" } });
    expect(await client.next()).toMatchObject({ type: "error", data: { code: "GENERATION_FAILED" } });
  });

  it("leaves events alone that it does not know", async () => {
    const { client } = await start();
    client.send("transcribe", { language: "en" });
    client.socket.write(`${JSON.stringify({ type: "audio-chunk", payload_length: 5 })}\n12345`);
    client.send("ping");
    expect((await client.next()).type).toBe("pong");
  });

  it.each([
    ["what is not JSON", "GET / HTTP/1.1\r\n"],
    ["a line without an end", "x".repeat(70_000)],
    ["a payload of a gigabyte", `${JSON.stringify({ type: "audio-chunk", payload_length: 2 ** 30 })}\n`],
    ["data of a gigabyte", `${JSON.stringify({ type: "synthesize", data_length: 2 ** 30 })}\n`],
    ["a negative length", `${JSON.stringify({ type: "synthesize", data_length: -1 })}\n`],
    ["JSON that is no event", "[1]\n"],
  ])("refuses %s and hangs up", async (_name, bytes) => {
    const { client } = await start();
    client.socket.write(bytes);
    expect(await client.next()).toMatchObject({ type: "error", data: { code: "INVALID_INPUT" } });
    await client.closed;
  });

  it("takes no more text than its limit", async () => {
    const { client } = await start({ frames: 250, frameMs: 5 }, { maxTextChars: 50 });
    for (let i = 0; i < 3; i++) client.send("synthesize", { text: "Twenty-five characters ok." });
    const failure = (await client.upTo("error")).at(-1);
    expect(failure?.data).toMatchObject({ code: "OVERLOADED" });
    await client.closed;
  });

  it("stops the speech of a client that has gone", async () => {
    const { client, model, doors } = await start({ frames: 100_000, frameMs: 1 });
    client.send("synthesize", { text: "Hello.", voice: { name: "profile:male_en" } });
    await expect.poll(() => model.requests.length).toBe(1);
    client.socket.destroy();
    await expect.poll(() => doors.log(), { timeout: 10_000 }).toContain("CANCELLED");
  });

  it("hangs up on a client that says nothing", async () => {
    const { client } = await start({}, { idleTimeoutMs: 50 });
    await client.closed;
    expect(client.socket.destroyed).toBe(true);
  });

  it("says which port is taken", async () => {
    const { port } = await start();
    await expect(WyomingServer.listen({ host: "127.0.0.1", port, maxTextChars: 10 })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining(`port ${port}`),
    });
  });
});
