import type { FromEngine, ToEngine } from "./messages.ts";
import type { SamplePipe } from "./sample-pipe.ts";

type Message = FromEngine | ToEngine;

/** A message without its samples, which go through the pipe. */
export interface PlainMessage<M extends Message> {
  readonly message: M;
  readonly sampleCount: number;
}

/** The file descriptor of the pipe in the engine's process. */
export const SAMPLE_PIPE_FD = 4;

const NO_SAMPLES = new Float32Array(0);

/** One side of the way between the two processes: messages arrive whole and in their order. */
export class EngineChannel<Out extends Message, In extends Message> {
  readonly #pipe: SamplePipe;
  readonly #send: (message: PlainMessage<Out>) => void;
  readonly #onMessage: (message: In) => void;
  /** Messages that wait for their samples, or for a message before that does. */
  readonly #waiting: PlainMessage<In>[] = [];
  #isTaking = false;

  /**
   * @param send sends what is copied by the structured clone algorithm
   * @param onMessage told of messages with their samples
   */
  constructor(pipe: SamplePipe, send: (message: PlainMessage<Out>) => void, onMessage: (message: In) => void) {
    this.#pipe = pipe;
    this.#send = send;
    this.#onMessage = onMessage;
  }

  send(message: Out): void {
    const samples = samplesOf(message);
    this.#send({ message: withSamples(message, NO_SAMPLES), sampleCount: samples.length });
    this.#pipe.send(samples);
  }

  /** Takes what `send` of the other side sent. */
  receive(plain: PlainMessage<In>): void {
    if (!this.#isTaking && plain.sampleCount === 0) {
      this.#onMessage(plain.message);
      return;
    }
    this.#waiting.push(plain);
    if (!this.#isTaking) void this.#takeAll();
  }

  async #takeAll(): Promise<void> {
    this.#isTaking = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { message, sampleCount } = next;
      this.#onMessage(sampleCount === 0 ? message : withSamples(message, await this.#pipe.take(sampleCount)));
    }
    this.#isTaking = false;
  }
}

function samplesOf(message: Message): Float32Array {
  if (message.type === "audio") return message.pcm;
  if (message.type === "result") return message.result.pcm;
  return message.type === "samples" ? message.samples : NO_SAMPLES;
}

function withSamples<M extends Message>(message: M, samples: Float32Array): M {
  if (message.type === "audio") return { ...message, pcm: samples };
  if (message.type === "result") return { ...message, result: { ...message.result, pcm: samples } };
  return message.type === "samples" ? { ...message, samples } : message;
}
