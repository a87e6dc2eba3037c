import { afterEach, describe, expect, it } from "vitest";
import { fakeModel } from "../../testing/fake-model.ts";
import { closeServedDoors, serveDoors, type ServedDoorsOptions } from "../../testing/served-doors.ts";
import { closeSockets, openSocket, type SocketClient, type SocketMessage } from "../../testing/socket-client.ts";

afterEach(async () => {
  closeSockets();
  await closeServedDoors();
});

const PATH = "/v1/audio/speech/stream";
const CONFIG = { type: "session.config", voice: "profile:male_en", seed: 5 };
const text = (written: string): SocketMessage => ({ type: "input.text", text: written });
const DONE = { type: "input.done" };

async function open(options: ServedDoorsOptions = {}, config: SocketMessage = CONFIG): Promise<SocketClient> {
  const { url } = await serveDoors(options);
  const client = await openSocket(url + PATH);
  client.send(config);
  await client.untilType("session.configured");
  return client;
}

const messagesOf = ({ received }: SocketClient): SocketMessage[] =>
  received.filter((message): message is SocketMessage => !Buffer.isBuffer(message));

const typesOf = ({ received }: SocketClient): unknown[] =>
  received.map((message) => (Buffer.isBuffer(message) ? "bytes" : message["type"]));

const sentencesOf = (client: SocketClient): unknown[] =>
  messagesOf(client)
    .filter(({ type }) => type === "audio.start")
    .map((message) => message["sentence_text"]);

const bytesOf = ({ received }: SocketClient): Buffer =>
  Buffer.concat(received.filter((message): message is Buffer => Buffer.isBuffer(message)));

describe("text that is written while it is spoken", () => {
  it("comes as sentences, each with its audio in between its start and its end", async () => {
    const client = await open({ model: fakeModel({ isLive: true, frames: 4 }) });
    client.send(text("The sun is wa"), text("rm. The sky"), text(" is blue. And"), text(" so on"), DONE);
    const done = await client.untilType("session.done");
    expect(done).toMatchObject({ utterance_index: 0, total_sentences: 3 });
    expect(sentencesOf(client)).toEqual(["The sun is warm.", "The sky is blue.", "And so on"]);
    const sentence = ["audio.start", "bytes", "bytes", "bytes", "bytes", "audio.done"];
    expect(typesOf(client)).toEqual(["session.configured", ...sentence, ...sentence, ...sentence, "session.done"]);
    expect(bytesOf(client)).toHaveLength(3 * 4 * 960 * 2);
    const ends = messagesOf(client).filter(({ type }) => type === "audio.done");
    expect(ends.map((end) => [end["sentence_index"], end["total_bytes"], end["error"], end["cancelled"]])).toEqual(
      [0, 1, 2].map((index) => [index, 4 * 960 * 2, false, false]),
    );
  });

  it("is heard before it is complete: the first sentence while the second is written", async () => {
    const client = await open({ model: fakeModel({ isLive: true, frames: 4 }) });
    client.send(text("The sun is warm. The sk"));
    expect(await client.untilType("audio.done")).toMatchObject({ sentence_index: 0 });
    expect(sentencesOf(client)).toEqual(["The sun is warm."]);
    client.send(text("y is blue."), DONE);
    await client.untilType("session.done");
    expect(sentencesOf(client)).toEqual(["The sun is warm.", "The sky is blue."]);
  });

  it("keeps its voice: every sentence has the seed, and hears those before it", async () => {
    const model = fakeModel({ isLive: true, frames: 4, codes: true });
    const client = await open({ model }, { type: "session.config", voice: "profile:male_en" });
    client.send(text("One is here. Two is here. Three"), DONE, text("Four"), DONE);
    await client.until(({ utterance_index: index, type }) => type === "session.done" && index === 1);
    expect(new Set(model.requests.map(({ seed }) => seed)).size).toBe(1);
    expect(model.requests.map(({ earlier }) => earlier?.chunks.map((chunk) => chunk.text) ?? null)).toEqual([
      null,
      ["One is here."],
      ["One is here.", "Two is here."],
      ["One is here.", "Two is here.", "Three"],
    ]);
  });

  it("is a sentence when nothing follows it, without input.done", async () => {
    const client = await open({ model: fakeModel({ isLive: true, frames: 2 }) });
    client.send(text("The sun is warm."));
    expect(await client.untilType("audio.start")).toMatchObject({ sentence_text: "The sun is warm." });
  });

  it("is spoken as far as it goes at input.commit, and goes on in the same utterance", async () => {
    const client = await open({ model: fakeModel({ isLive: true, frames: 2 }) });
    client.send(text("One. Two and"), { type: "input.commit" }, text("three"), { type: "input.commit" }, DONE);
    await client.untilType("session.done");
    const committed = messagesOf(client).filter(({ type }) => type === "input.committed");
    const facts = ["segment_index", "segment_sentences", "total_sentences"];
    expect(committed.map((message) => facts.map((name) => message[name]))).toEqual([
      [0, 2, 2],
      [1, 1, 3],
    ]);
    expect(sentencesOf(client)).toEqual(["One.", "Two and", "three"]);
  });

  it("keeps the turns of a dialogue, and says nothing for signs alone", async () => {
    const client = await open({ model: fakeModel({ isLive: true, frames: 2 }) });
    client.send(text("[SPEAKER1] Hello there. How are you?\n*** \n[SPEAKER0] I am fine.\n"), DONE);
    await client.untilType("session.done");
    expect(sentencesOf(client)).toEqual([
      "[SPEAKER1] Hello there.",
      "[SPEAKER1] How are you?",
      "[SPEAKER0] I am fine.",
    ]);
  });

  it.each([
    ["none", ["One. Two, three and four."]],
    ["clause", ["One.", "Two and three,", "four and five."]],
  ])("is cut as split_granularity %s says", async (granularity, sentences) => {
    const config = { ...CONFIG, split_granularity: granularity };
    const client = await open({ model: fakeModel({ isLive: true, frames: 2 }) }, config);
    client.send(
      text(granularity === "none" ? "One. Two, three and four." : "One. Two and three, four and five."),
      DONE,
    );
    await client.untilType("session.done");
    expect(sentencesOf(client)).toEqual(sentences);
  });

  it("is one complete file a sentence when stream_audio is false", async () => {
    const config = { ...CONFIG, response_format: "wav", stream_audio: false };
    const client = await open({ model: fakeModel({ isLive: true, frames: 4 }) }, config);
    client.send(text("One. Two."), DONE);
    await client.untilType("session.done");
    const files = client.received.filter((message): message is Buffer => Buffer.isBuffer(message));
    expect(files.map((file) => [file.toString("latin1", 0, 4), file.readUInt32LE(40)])).toEqual(
      [1, 2].map(() => ["RIFF", 4 * 960 * 2]),
    );
  });

  it("takes vLLM-Omni's and SGLang-Omni's forms of the configuration", async () => {
    const { url } = await serveDoors();
    const nested = { speaker: "alloy", response_format: "pcm", stream_audio: true, task_type: "Base", language: "en" };
    const flat = { ...nested, model: "x", max_new_tokens: 64, instructions: null, initial_codec_chunk_frames: 4 };
    for (const config of [
      { type: "session.config", session: nested },
      { type: "session.config", ...flat },
    ]) {
      const client = await openSocket(url + PATH);
      client.send(config);
      expect(await client.untilType("session.configured")).toMatchObject({
        response_format: "pcm",
        sample_rate: 24_000,
        stream_audio: true,
        split_granularity: "sentence",
      });
    }
  });
});

describe("input.cancel", () => {
  it("stops the speech within a frame, forgets the rest, and the next text is spoken", async () => {
    const model = fakeModel({ isLive: true, frames: 2000, frameMs: 1 });
    const client = await open({ model });
    client.send(text("A very long story. And more of it. And more"), DONE);
    await client.untilType("audio.start");
    await expect.poll(() => bytesOf(client).length).toBeGreaterThan(960 * 2 * 3);
    client.send({ type: "input.cancel" });
    const end = await client.untilType("audio.done");
    expect(end).toMatchObject({ cancelled: true, error: false });
    await client.untilType("input.cancelled");
    const heard = bytesOf(client).length;
    expect(heard).toBe(end["total_bytes"]);
    expect(model.requests).toHaveLength(1);
    client.send(text("Next. "), { type: "input.commit" });
    expect(await client.untilType("audio.start")).toMatchObject({ sentence_text: "Next.", utterance_index: 1 });
    expect(typesOf(client)).not.toContain("session.done");
  });

  it("does no harm when nothing is spoken", async () => {
    const client = await open();
    client.send({ type: "input.cancel" }, text("Hello."), DONE);
    await client.untilType("input.cancelled");
    await client.untilType("session.done");
    expect(sentencesOf(client)).toEqual(["Hello."]);
  });

  it("a client that hangs up stops its speech", async () => {
    const model = fakeModel({ isLive: true, frames: 2000, frameMs: 1 });
    const { url, server } = await serveDoors({ model });
    const client = await openSocket(url + PATH);
    client.send(CONFIG, text("A very long story. And more of it."), DONE);
    await client.untilType("audio.start");
    await expect.poll(() => bytesOf(client).length).toBeGreaterThan(0);
    client.socket.terminate();
    await expect
      .poll(() => [...server.api.queue.records()].filter(({ status }) => status === "IN_PROGRESS"))
      .toEqual([]);
    expect(model.requests).toHaveLength(1);
  });
});

describe("what is wrong", () => {
  it.each([
    ["text before the configuration", text("Hello."), "INVALID_INPUT"],
    ["a voice that there is not", { ...CONFIG, voice: "nobody" }, "VOICE_NOT_FOUND"],
    ["a format that there is not", { ...CONFIG, response_format: "aac" }, "INVALID_INPUT"],
    ["a setting that is out of its range", { ...CONFIG, temperature: 9 }, "INVALID_INPUT"],
    ["word times", { ...CONFIG, word_timestamps: true }, "INVALID_INPUT"],
  ])("%s ends a session that is not configured", async (_, message, code) => {
    const { url } = await serveDoors();
    const client = await openSocket(url + PATH);
    client.send(message);
    expect(await client.untilType("error")).toMatchObject({ code, message: expect.stringContaining(code) });
    expect(await client.closed).toEqual({ code: 1008, reason: code });
  });

  it.each([
    ["an unknown type", '{"type":"input.audio"}'],
    ["no text", '{"type":"input.text","text":5}'],
    ["no JSON", "hello"],
    ["no object", "[1]"],
    ["bytes", Buffer.from('{"type":"input.done"}')],
    ["too long a text", JSON.stringify(text("x".repeat(140_000)))],
  ])("%s is told, and the session goes on", async (_, message) => {
    const client = await open();
    client.socket.send(message);
    expect(await client.untilType("error")).toMatchObject({ code: "INVALID_INPUT" });
    client.send(text("Hello."), DONE);
    await client.untilType("session.done");
  });

  it("a sentence that cannot be spoken is told, and the next one is spoken", async () => {
    const client = await open({ model: fakeModel({ isLive: true, frames: 2 }) });
    client.send(text("Hello <|eot_id|> there. And this."), DONE);
    await client.untilType("session.done");
    expect(messagesOf(client).find(({ type }) => type === "error")).toMatchObject({
      code: "INVALID_INPUT",
      sentence_index: 0,
    });
    expect(
      messagesOf(client)
        .filter(({ type }) => type === "audio.done")
        .map(({ error }) => error),
    ).toEqual([true, false]);
  });

  it("a message of more than 20 MiB ends the connection", async () => {
    const client = await open();
    client.socket.send(Buffer.alloc(21 * 1024 * 1024, 32));
    expect((await client.closed).code).toBe(1009);
  });

  it("more text than anyone speaks is refused, and what waits is still spoken", async () => {
    const client = await open(
      { model: fakeModel({ isLive: true, frames: 2 }) },
      { ...CONFIG, split_granularity: "none" },
    );
    client.send(text("a ".repeat(60_000)), text("a ".repeat(60_000)), text("a ".repeat(60_000)));
    expect(await client.untilType("error")).toMatchObject({ code: "OVERLOADED" });
  });

  it("a client that sends nothing is asked to leave", async () => {
    const { url } = await serveDoors({ env: { HIGGS_SOCKET_IDLE_SECONDS: "1" } });
    const client = await openSocket(url + PATH);
    client.send(CONFIG);
    expect(await client.untilType("error")).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(await client.closed).toEqual({ code: 1000, reason: "idle" });
  });

  it("session.close closes", async () => {
    const client = await open();
    client.send({ type: "session.close" });
    expect((await client.closed).code).toBe(1000);
  });
});
