import { clockText } from "./peaks.ts";
import type { FormState, SpeechRequestBody } from "./speech-request.ts";

const MIME_TYPES: Readonly<Record<string, string>> = {
  mp3: "audio/mpeg",
  wav: "audio/wav",
  flac: "audio/flac",
  opus: "audio/ogg",
  webm: "audio/webm",
};
/** The rate at which audio is drawn. */
const SAMPLE_RATE_HZ = 24_000;
/** The picture is drawn anew when so much more of the audio is there. */
const DRAW_GROWTH = 1.2;

/** One answer of the server: its bytes, and when they came. */
export class SpeechTake {
  readonly state: FormState;
  readonly body: SpeechRequestBody;
  readonly startedAt = performance.now();
  readonly sampleRateHz = SAMPLE_RATE_HZ;
  durationSeconds = 0;
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  #sizeBytes = 0;
  #drawnBytes = 0;
  #firstMs = 0;
  #totalMs = 0;

  constructor(state: FormState, body: SpeechRequestBody) {
    this.state = state;
    this.body = body;
  }

  /** Reads the answer to its end, and passes its parts on. */
  async *collect({ body }: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    if (body === null) throw new Error("The server sent no audio.");
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      this.#totalMs = performance.now() - this.startedAt;
      if (done) break;
      if (this.#sizeBytes === 0) this.#firstMs = this.#totalMs;
      this.#sizeBytes += value.length;
      this.#parts.push(value);
      yield value;
    }
    if (this.#sizeBytes === 0) throw new Error("The server sent no audio.");
  }

  /** True once after each growth by a fifth. */
  get isTimeToDraw(): boolean {
    if (this.#sizeBytes < this.#drawnBytes * DRAW_GROWTH) return false;
    this.#drawnBytes = this.#sizeBytes;
    return true;
  }

  get file(): Blob {
    return new Blob(this.#parts, { type: MIME_TYPES[this.state.format] ?? "application/octet-stream" });
  }

  get fileName(): string {
    return `speech-${this.state.seed ?? 0}.${this.state.format}`;
  }

  /** For the list below the waveform. */
  facts(durationSeconds: number): readonly (readonly [string, string])[] {
    const speed = durationSeconds / (this.#totalMs / 1000);
    return [
      ["First audio", `${Math.round(this.#firstMs)} ms`],
      ["Total", `${(this.#totalMs / 1000).toFixed(2)} s`],
      ["Length", clockText(durationSeconds)],
      ["Speed", `${speed.toFixed(1)} × real time`],
      ["Size", `${(this.#sizeBytes / 1000).toFixed(0)} kB`],
      ["Seed", String(this.state.seed ?? "drawn")],
    ];
  }
}

/** The samples of what has arrived, as far as it can be decoded. */
export async function samplesOf({ file }: SpeechTake): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await file.arrayBuffer();
  const context = new OfflineAudioContext({ length: 1, sampleRate: SAMPLE_RATE_HZ });
  const decoded = await context.decodeAudioData(bytes).catch(() => null);
  return decoded === null ? new Float32Array(0) : decoded.getChannelData(0);
}
