/**
 * The engine's process: one model behind messages. Only `EngineChild` starts it. It ends with the process that started
 * it, and leaves the signals of a terminal to that one.
 */
import { Socket } from "node:net";
import { loadSpeechModel } from "../speech/load-speech-model.ts";
import { EngineChannel, type PlainMessage, SAMPLE_PIPE_FD } from "./engine-channel.ts";
import { EngineServer } from "./engine-server.ts";
import type { FromEngine, ToEngine } from "./messages.ts";
import { SamplePipe } from "./sample-pipe.ts";

/** Messages that are on their way to the other process. */
let unsent = 0;
let isEnding = false;

const pipe = new Socket({ fd: SAMPLE_PIPE_FD });
const channel = new EngineChannel<FromEngine, ToEngine>(new SamplePipe(pipe, pipe), send, (message) =>
  server.receive(message),
);
const server = new EngineServer({
  load: loadSpeechModel,
  send: (message) => channel.send(message),
  onEnd: () => {
    isEnding = true;
    leaveWhenSent();
  },
});

// The compute library may have threads that would keep the process alive.
process.on("disconnect", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("message", (message) => channel.receive(message as PlainMessage<ToEngine>));
// It may not keep the process alive either.
pipe.unref();
channel.send({ type: "ready" });

function send(message: PlainMessage<FromEngine>): void {
  unsent += 1;
  process.send?.(message, () => {
    unsent -= 1;
    leaveWhenSent();
  });
}

function leaveWhenSent(): void {
  if (isEnding && unsent === 0 && process.connected) process.disconnect();
}
