import { describe, expect, it } from "vitest";
import { SpeechClient } from "./speech-client.ts";
import type { SessionAudio, SpeechSession } from "./speech-session.ts";
import { FakeSocket } from "./testing/fake-socket.ts";

function openSession(): { session: SpeechSession; socket: FakeSocket } {
  const client = new SpeechClient({ baseUrl: "https://higgs.test/", apiKey: "k" });
  const session = client.openSession({ voice: "slt", seed: 7 }, { WebSocket: FakeSocket });
  if (FakeSocket.last === undefined) throw new Error("no socket was made");
  return { session, socket: FakeSocket.last };
}

const start = (index: number, text: string) => ({
  type: "audio.start",
  sentence_index: index,
  sentence_text: text,
  sample_rate: 24_000,
});

describe("SpeechSession", () => {
  it("configures the session with the key, then sends the text in its order, also what was written before", async () => {
    const { session, socket } = openSession();
    session.write("The sun");
    session.write(" is warm.");
    session.end();
    expect(socket.sent).toEqual([]);
    socket.open();
    await Promise.resolve();
    expect(socket.url).toBe("wss://higgs.test/v1/audio/speech/stream");
    expect(socket.headers).toEqual({ authorization: "Bearer k" });
    expect(socket.sent).toEqual([
      { type: "session.config", voice: "slt", seed: 7 },
      { type: "input.text", text: "The sun" },
      { type: "input.text", text: " is warm." },
      { type: "input.done" },
    ]);
  });

  it("gives the audio with its sentence, and ends when the text has been spoken", async () => {
    const { session, socket } = openSession();
    socket.open();
    session.end();
    socket.answer(start(0, "The sun is warm."));
    socket.answer(Uint8Array.of(1, 2));
    socket.answer(start(1, "The sky is blue."));
    socket.answer(Uint8Array.of(3, 4));
    socket.answer({ type: "session.done" });
    const parts: SessionAudio[] = [];
    for await (const part of session) parts.push(part);
    expect(parts).toEqual([
      { sentenceIndex: 0, sentenceText: "The sun is warm.", sampleRate: 24_000, bytes: Uint8Array.of(1, 2) },
      { sentenceIndex: 1, sentenceText: "The sky is blue.", sampleRate: 24_000, bytes: Uint8Array.of(3, 4) },
    ]);
    expect(socket.readyState).toBe(3);
  });

  it("forgets the audio that was on its way when someone interrupts", async () => {
    const { session, socket } = openSession();
    socket.open();
    socket.answer(start(0, "A long story."));
    socket.answer(Uint8Array.of(1));
    session.cancel();
    socket.answer(Uint8Array.of(2));
    socket.answer({ type: "input.cancelled" });
    socket.answer(start(0, "Yes?"));
    socket.answer(Uint8Array.of(3));
    socket.answer({ type: "session.done" });
    const bytes: number[] = [];
    for await (const part of session) bytes.push(...part.bytes);
    expect(bytes).toEqual([3]);
  });

  it("throws the server's refusal with its code, after the audio before it", async () => {
    const { session, socket } = openSession();
    socket.open();
    socket.answer(start(0, "Hello."));
    socket.answer(Uint8Array.of(1));
    socket.answer({ type: "error", message: "Cannot speak: …", code: "VOICE_NOT_FOUND", retryable: false });
    const heard: number[] = [];
    const reading = (async () => {
      for await (const part of session) heard.push(...part.bytes);
    })();
    await expect(reading).rejects.toMatchObject({ code: "VOICE_NOT_FOUND", isRetryable: false });
    expect(heard).toEqual([1]);
  });

  it("throws when the connection breaks off, and not when the caller closes it", async () => {
    const broken = openSession();
    broken.socket.emit("close", {});
    await expect(broken.session[Symbol.asyncIterator]().next()).rejects.toThrow("the connection was closed");
    const closed = openSession();
    closed.session.close();
    expect(await closed.session[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
  });
});
