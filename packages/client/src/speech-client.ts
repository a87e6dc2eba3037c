import { HttpClient, type HttpClientOptions, type RequestOptions } from "./http/http-client.ts";
import type { SpeechRequest } from "./speech-request.ts";
import { type SessionConfig, type SessionOptions, SpeechSession } from "./speech-session.ts";

/** A server to speak with: `higgs serve`, or a load-balancing endpoint. */
export type SpeechClientOptions = HttpClientOptions;

/** Audio that is complete. */
export interface SpeechAudio {
  readonly bytes: Uint8Array;
  /** Such as `audio/mpeg`. */
  readonly mimeType: string;
}

/** Audio that comes in while it is made: slices of one file. Leaving the loop early ends the speech. */
export interface SpeechStream extends AsyncIterable<Uint8Array> {
  readonly mimeType: string;
}

/** A voice of the server's library. */
export interface Voice {
  readonly id: string;
  readonly name: string;
}

export interface NewVoice {
  readonly name: string;
  /** A recording of a few seconds, in any format that the server reads. */
  readonly audio: Blob;
  /** What is said in it. */
  readonly transcript?: string;
  /** Id of the speaker's consent, from `createConsent`. */
  readonly consentId: string;
}

export interface NewConsent {
  readonly name: string;
  /** The speaker saying that the voice may be cloned. */
  readonly recording: Blob;
  /** Such as `en-US`. */
  readonly language: string;
}

/** Speech over HTTP, on the routes that OpenAI's clients use. */
export class SpeechClient {
  readonly #http: HttpClient;
  readonly #apiKey: string | undefined;

  constructor(options: SpeechClientOptions) {
    this.#http = new HttpClient(options);
    this.#apiKey = options.apiKey;
  }

  /**
   * Speaks and waits for the whole audio.
   *
   * @throws {HiggsApiError} when the server refuses, or the answer breaks off
   */
  async speak(request: SpeechRequest, { signal }: RequestOptions = {}): Promise<SpeechAudio> {
    const response = await this.#speech(request, signal);
    return { bytes: new Uint8Array(await response.arrayBuffer()), mimeType: mimeTypeOf(response) };
  }

  /**
   * Speaks and gives the audio while it is made.
   *
   * @throws {HiggsApiError} when the server refuses
   */
  async stream(request: SpeechRequest, { signal }: RequestOptions = {}): Promise<SpeechStream> {
    const response = await this.#speech(request, signal);
    const { body } = response;
    return {
      mimeType: mimeTypeOf(response),
      [Symbol.asyncIterator]: () => slicesOf(body),
    };
  }

  /**
   * Speaks a text while it is written, for example by a language model.
   *
   * @throws {TypeError} without a WebSocket, as in Node 20
   */
  openSession(config: SessionConfig = {}, options: SessionOptions = {}): SpeechSession {
    return new SpeechSession(this.#http.socketUrl("/v1/audio/speech/stream"), config, this.#apiKey, options);
  }

  async voices({ signal }: RequestOptions = {}): Promise<readonly Voice[]> {
    const { voices } = await this.#http.json<{ voices: Voice[] }>({ method: "GET", path: "/v1/audio/voices", signal });
    return voices;
  }

  /** Stores a speaker's consent; gives its id. */
  async createConsent(consent: NewConsent, { signal }: RequestOptions = {}): Promise<string> {
    const form = new FormData();
    form.set("name", consent.name);
    form.set("language", consent.language);
    form.set("recording", consent.recording, fileNameOf(consent.recording));
    return await this.#create("/v1/audio/voice_consents", form, signal);
  }

  /** Stores a voice; gives its id, which `voice` of a request takes. */
  async createVoice(voice: NewVoice, { signal }: RequestOptions = {}): Promise<string> {
    const form = new FormData();
    form.set("name", voice.name);
    form.set("consent", voice.consentId);
    if (voice.transcript !== undefined) form.set("transcript", voice.transcript);
    form.set("audio_sample", voice.audio, fileNameOf(voice.audio));
    return await this.#create("/v1/audio/voices", form, signal);
  }

  async deleteVoice(id: string, { signal }: RequestOptions = {}): Promise<void> {
    await this.#http.send({ method: "DELETE", path: `/v1/audio/voices/${encodeURIComponent(id)}`, signal });
  }

  async #create(path: string, body: FormData, signal: AbortSignal | undefined): Promise<string> {
    const { id } = await this.#http.json<{ id: string }>({ method: "POST", path, body, signal, canRepeat: false });
    return id;
  }

  async #speech(request: SpeechRequest, signal: AbortSignal | undefined): Promise<Response> {
    const body = { model: "higgs-audio-v2", ...request };
    return await this.#http.send({ method: "POST", path: "/v1/audio/speech", body, signal });
  }
}

function mimeTypeOf({ headers }: Response): string {
  return headers.get("content-type") ?? "application/octet-stream";
}

function fileNameOf(file: Blob): string {
  return "name" in file && typeof file.name === "string" && file.name !== "" ? file.name : "recording";
}

/** The body's slices; browsers do not let all streams be iterated. */
async function* slicesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
