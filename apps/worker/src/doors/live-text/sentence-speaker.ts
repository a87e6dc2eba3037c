import type { DoorService } from "../door-service.ts";
import { SpeechThread } from "../../job/speech-thread.ts";
import type { SentenceRequest } from "./live-speech.ts";

/** Speaks sentences one after the other, each of them reminded of those before it, in the same voice. */
export class SentenceSpeaker {
  readonly #service: DoorService;
  readonly #input: Readonly<Record<string, unknown>>;
  readonly #thread: SpeechThread;

  /**
   * @param input fields of a job, without the text
   */
  constructor(service: DoorService, input: Readonly<Record<string, unknown>>, contextLength: number) {
    this.#service = service;
    this.#input = input;
    this.#thread = new SpeechThread({ contextLength });
  }

  /** At which the samples are to be played. */
  get speed(): number {
    const { speed } = this.#input;
    return typeof speed === "number" ? speed : 1;
  }

  async speak({ text, signal, onAudio }: SentenceRequest): Promise<void> {
    const input = { ...this.#input, transcript: text };
    await this.#service.speakSamples({ input, signal, onAudio, thread: this.#thread });
  }
}
