/**
 * The engine's process: one model behind messages. Only `EngineChild` starts it. It ends with the process that started
 * it, and leaves the signals of a terminal to that one.
 */
import { loadSpeechModel } from "../speech/load-speech-model.ts";
import { EngineServer } from "./engine-server.ts";
import type { FromEngine, ToEngine } from "./messages.ts";

/** Messages that are on their way to the other process. */
let unsent = 0;
let isEnding = false;

const server = new EngineServer({
  load: loadSpeechModel,
  send,
  onEnd: () => {
    isEnding = true;
    leaveWhenSent();
  },
});

// The compute library may have threads that would keep the process alive.
process.on("disconnect", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.on("message", (message) => server.receive(message as ToEngine));
send({ type: "ready" });

function send(message: FromEngine): void {
  unsent += 1;
  process.send?.(message, () => {
    unsent -= 1;
    leaveWhenSent();
  });
}

function leaveWhenSent(): void {
  if (isEnding && unsent === 0 && process.connected) process.disconnect();
}
