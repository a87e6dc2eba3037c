import { HiggsError } from "@higgs-worker/base";
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
   * @throws {HiggsError} INVALID_INPUT when the text is markup, which cannot be read in parts
   */
  constructor(service: DoorService, input: Readonly<Record<string, unknown>>, contextLength: number) {
    refuseMarkup(input["text_format"] ?? "plain");
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

function refuseMarkup(format: unknown): void {
  if (format === "plain" || format === "raw") return;
  const problem = "text_format must be plain or raw, since the text is spoken sentence by sentence";
  throw new HiggsError("INVALID_INPUT", "speak", problem, { problems: [problem] });
}
