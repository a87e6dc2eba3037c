import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { EngineChannel, type PlainMessage } from "./engine-channel.ts";
import type { FromEngine, ToEngine } from "./messages.ts";
import { SamplePipe } from "./sample-pipe.ts";

/** Both sides; `plain` are the messages beside the pipe, which the test delivers. */
function connect() {
  const pipe = new PassThrough();
  const plain: PlainMessage<FromEngine>[] = [];
  const received: FromEngine[] = [];
  const nowhere = new PassThrough();
  const engine = new EngineChannel<FromEngine, ToEngine>(
    new SamplePipe(nowhere, pipe),
    (message) => void plain.push(message),
    () => undefined,
  );
  const host = new EngineChannel<ToEngine, FromEngine>(
    new SamplePipe(pipe, nowhere),
    () => undefined,
    (message) => void received.push(message),
  );
  return { engine, host, plain, received };
}

const AUDIO: FromEngine = { type: "audio", id: 1, pcm: Float32Array.of(0.25, -0.5, 1) };
const MEMORY: FromEngine = { type: "memory", memory: null };

describe("EngineChannel", () => {
  it("carries samples outside of the messages, once", () => {
    const { engine, plain } = connect();
    engine.send(AUDIO);
    expect(plain).toEqual([{ message: { ...AUDIO, pcm: new Float32Array(0) }, sampleCount: 3 }]);
  });

  it("gives whole messages in their order, also those without samples behind some that are on their way", async () => {
    const { engine, host, plain, received } = connect();
    for (const message of [MEMORY, AUDIO, MEMORY, AUDIO]) engine.send(message);
    for (const message of plain) host.receive(message);
    // What needs no samples and comes first is there at once.
    expect(received).toEqual([MEMORY]);
    await setImmediate();
    expect(received).toEqual([MEMORY, AUDIO, MEMORY, AUDIO]);
  });

  it("takes samples that come before their message", async () => {
    const { engine, host, plain, received } = connect();
    engine.send(AUDIO);
    await setImmediate();
    for (const message of plain) host.receive(message);
    await setImmediate();
    expect(received).toEqual([AUDIO]);
  });
});
