import { HiggsError } from "@higgs-worker/base";
import { afterEach, describe, expect, it } from "vitest";
import { fakeModel } from "../../testing/fake-model.ts";
import { closeServedDoors, serveDoors, type ServedDoorsOptions } from "../../testing/served-doors.ts";
import { closeSockets, openSocket, type SocketClient, type SocketMessage } from "../../testing/socket-client.ts";

afterEach(async () => {
  closeSockets();
  await closeServedDoors();
});

const VOICE = "/v1/text-to-speech/profile:male_en";
const SINGLE = `${VOICE}/stream-input?output_format=pcm_24000`;
const MULTI = `${VOICE}/multi-stream-input?output_format=pcm_24000`;

interface Alignment {
  readonly chars: readonly string[];
  readonly charStartTimesMs: readonly number[];
  readonly charDurationsMs: readonly number[];
}

const quick = (): ServedDoorsOptions => ({ model: fakeModel({ isLive: true, frames: 25, codes: true }) });

async function open(path: string, options: ServedDoorsOptions = quick()): Promise<SocketClient> {
  const { url } = await serveDoors(options);
  return openSocket(url + path);
}

const messagesOf = ({ received }: SocketClient): readonly SocketMessage[] => received as readonly SocketMessage[];

const ofContext = (client: SocketClient, name: string): readonly SocketMessage[] =>
  messagesOf(client).filter(({ contextId }) => contextId === name);

const audioOf = (messages: readonly SocketMessage[]): Buffer =>
  Buffer.concat(messages.map(({ audio }) => Buffer.from(typeof audio === "string" ? audio : "", "base64")));

const alignmentsOf = (messages: readonly SocketMessage[]): Alignment[] =>
  messages.flatMap(({ alignment }) =>
    typeof alignment === "object" && alignment !== null ? [alignment as Alignment] : [],
  );

const isFinal = (name: string) => (message: SocketMessage) =>
  message["isFinal"] === true && message["contextId"] === name;

describe("stream-input", () => {
  it("speaks what comes, sentence by sentence, and closes after the empty text", async () => {
    const client = await open(SINGLE);
    expect(client.headers["x-higgs-alignment"]).toBe("estimate");
    client.send(
      { text: " ", voice_settings: { stability: 0.5 }, generation_config: { chunk_length_schedule: [50] } },
      { text: "The sun is ", try_trigger_generation: true },
      { text: "warm. The sky " },
      { text: "is blue. " },
      { text: "" },
    );
    expect((await client.closed).code).toBe(1000);
    const messages = messagesOf(client);
    expect(messages.at(-1)).toEqual({ audio: null, isFinal: true });
    expect(audioOf(messages)).toHaveLength(2 * 25 * 960 * 2);
    const alignments = alignmentsOf(messages);
    expect(alignments.map(({ chars }) => chars.join(""))).toEqual(["The sun is warm. ", "The sky is blue. "]);
    for (const { chars, charStartTimesMs: starts, charDurationsMs: durations } of alignments) {
      expect([starts.length, durations.length]).toEqual([chars.length, chars.length]);
      // Relative to the sentence, which is one second long.
      expect([starts[0], (starts.at(-1) ?? 0) + (durations.at(-1) ?? 0)]).toEqual([0, 1000]);
      expect(starts.slice(1)).toEqual(starts.slice(0, -1).map((start, index) => start + (durations[index] ?? 0)));
    }
  });

  it("begins a sentence with the breaks before it, however they arrive", async () => {
    const model = fakeModel({ isLive: true, frames: 2, codes: true });
    const client = await open(SINGLE, { model });
    client.send({ text: " " });
    for (const text of ["One.\n\n<break ti", 'me="0.5s" />\n\n<break time="1s"/>\n\n', "Two. <break/> Three.", ""]) {
      client.send({ text });
    }
    expect((await client.closed).code).toBe(1000);
    expect(model.requests.map(({ transcript }) => transcript)).toEqual([
      "One.",
      "[pause 500ms] [pause 1000ms] Two. [pause 750ms] Three.",
    ]);
  });

  it("speaks the beginning of a sentence at flush, and goes on in the same voice", async () => {
    const model = fakeModel({ isLive: true, frames: 2, codes: true });
    const client = await open(`${SINGLE}&seed=9`, { model });
    client.send({ text: " " }, { text: "The sun ", flush: true });
    await client.until(({ alignment }) => typeof alignment === "object" && alignment !== null);
    client.send({ text: "is warm. " }, { text: "" });
    await client.closed;
    expect(model.requests.map(({ transcript, seed }) => [transcript, seed])).toEqual([
      ["The sun", 9],
      ["is warm.", 9],
    ]);
    expect(model.requests[1]?.earlier?.chunks).toMatchObject([{ text: "The sun" }]);
  });

  it("gives audio in every format as one stream", async () => {
    const client = await open(`${VOICE}/stream-input?output_format=wav_24000`);
    client.send({ text: "One is here. Two is here. " }, { text: "" });
    await client.closed;
    const audio = audioOf(messagesOf(client));
    expect(audio.toString("latin1", 0, 4)).toBe("RIFF");
    expect(audio.lastIndexOf("RIFF")).toBe(0);
    expect(audio).toHaveLength(44 + 2 * 25 * 960 * 2);
  });

  it("ends after inactivity_timeout seconds without text", async () => {
    const client = await open(`${SINGLE}&inactivity_timeout=1`);
    client.send({ text: "One is here." });
    expect(await client.until(({ error }) => error !== undefined)).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect((await client.closed).code).toBe(1000);
    expect(audioOf(messagesOf(client))).toHaveLength(25 * 960 * 2);
  });
});

describe("multi-stream-input", () => {
  it("keeps contexts apart, each with its own end", async () => {
    const client = await open(MULTI);
    client.send(
      { text: " ", context_id: "a", voice_settings: {} },
      { text: " ", context_id: "b" },
      { text: "One is here. ", context_id: "a" },
      { text: "Two is here. And more. ", context_id: "b" },
      { text: "", context_id: "a", flush: true },
      { context_id: "b", flush: true },
      { context_id: "a", close_context: true },
      { context_id: "b", close_context: true },
    );
    await client.until(isFinal("b"));
    if (!messagesOf(client).some(isFinal("a"))) await client.until(isFinal("a"));
    expect(audioOf(ofContext(client, "a"))).toHaveLength(25 * 960 * 2);
    expect(audioOf(ofContext(client, "b"))).toHaveLength(2 * 25 * 960 * 2);
    expect(ofContext(client, "a").at(-1)).toEqual({ audio: null, isFinal: true, contextId: "a" });
    client.send({ text: "A new one. ", context_id: "a" }, { close_socket: true });
    expect((await client.closed).code).toBe(1000);
    expect(audioOf(ofContext(client, "a"))).toHaveLength(2 * 25 * 960 * 2);
  });

  it("stops a context that is closed in the middle of its text, and the next one is spoken", async () => {
    const model = fakeModel({ isLive: true, frames: 2000, frameMs: 1 });
    const client = await open(MULTI, { model });
    client.send({ text: "A long story. And more of it. And", context_id: "a" });
    await client.until(({ audio }) => typeof audio === "string");
    client.send({ context_id: "a", close_context: true }, { text: "Next. ", context_id: "b", flush: true });
    await client.until(isFinal("a"));
    await client.until(({ contextId }) => contextId === "b");
    const after = messagesOf(client).findIndex(isFinal("a"));
    expect(
      messagesOf(client)
        .slice(after + 1)
        .filter(({ contextId }) => contextId === "a"),
    ).toEqual([]);
    expect(model.requests.map(({ transcript }) => transcript)).toEqual(["A long story.", "Next."]);
  });

  it("speaks a context to its end that is closed before it was heard", async () => {
    const client = await open(MULTI);
    client.send({ text: "One is here", context_id: "a" }, { context_id: "a", close_context: true });
    await client.until(isFinal("a"));
    expect(audioOf(ofContext(client, "a"))).toHaveLength(25 * 960 * 2);
  });

  it("takes a context without a name, a keep-alive, and the end of a context that it does not know", async () => {
    const client = await open(MULTI);
    client.send({ text: "" }, { text: "One is here. ", flush: true }, { text: "", context_id: "x" });
    client.send({ context_id: "x", close_context: true });
    await client.until(isFinal("x"));
    client.send({ close_context: true });
    await client.until(isFinal("default"));
    expect(audioOf(ofContext(client, "default"))).toHaveLength(25 * 960 * 2);
  });

  it("refuses a seventeenth context at once, and only that", async () => {
    const client = await open(MULTI, { model: fakeModel({ isLive: true, frames: 2000, frameMs: 1 }) });
    for (let index = 0; index < 17; index++) client.send({ text: "Hello there. ", context_id: `c${index}` });
    expect(await client.until(({ error }) => error !== undefined)).toMatchObject({
      contextId: "c16",
      error: "system_busy",
      code: "OVERLOADED",
    });
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });
});

describe("what is wrong", () => {
  it.each([
    ["a voice that there is not", "/v1/text-to-speech/nobody/stream-input?output_format=pcm_24000", "voice_not_found"],
    ["a format that there is not", `${VOICE}/multi-stream-input?output_format=aac_1`, "invalid_parameters"],
    ["a seed that is no number", `${SINGLE}&seed=x`, "invalid_parameters"],
  ])("%s is told at the first message, and the socket closed", async (_, path, error) => {
    const client = await open(path);
    client.send({ text: " " });
    expect(await client.until((message) => "error" in message)).toMatchObject({ error, message: expect.any(String) });
    expect((await client.closed).code).toBe(1008);
  });

  it.each([
    ["no JSON", "hello"],
    ["text that is not text", '{"text": 5}'],
  ])("%s is told, and the socket stays open", async (_, message) => {
    const client = await open(SINGLE);
    client.send({ text: " " });
    client.socket.send(message);
    expect(await client.until(({ error }) => error !== undefined)).toMatchObject({ error: "invalid_parameters" });
    client.send({ text: "Hi. " }, { text: "" });
    expect((await client.closed).code).toBe(1000);
  });

  it("settings out of range are told with their context, and the socket stays open", async () => {
    const client = await open(MULTI);
    client.send({ text: " ", context_id: "a", voice_settings: { stability: 7 } });
    expect(await client.until(({ error }) => error !== undefined)).toMatchObject({
      contextId: "a",
      error: "invalid_parameters",
    });
    client.send({ text: "Hi. ", context_id: "a" }, { close_socket: true });
    expect((await client.closed).code).toBe(1000);
  });

  it("a failure of the model is told with its context", async () => {
    const fail = new HiggsError("GENERATION_FAILED", "speak the text", "the model ended at once");
    const client = await open(MULTI, { model: fakeModel({ fail }) });
    client.send({ text: "Hello. ", context_id: "a", flush: true }, { context_id: "a", close_context: true });
    expect(await client.until(({ error }) => error !== undefined)).toMatchObject({
      contextId: "a",
      error: "generation_failed",
    });
    await client.until(isFinal("a"));
  });
});
