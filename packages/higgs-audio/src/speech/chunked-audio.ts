import type { CodecDecoder } from "../codec/codec-decoder.ts";
import type { CodecStream } from "../codec/codec-stream.ts";
import type { Playback } from "../codec/playback.ts";
import { framesIn } from "../codec/codes.ts";
import type { Codes } from "../prompt/messages.ts";
import { AudioSink } from "./audio-sink.ts";
import { ChunkCutter, KEPT_SILENCE_SECONDS } from "./chunk-cutter.ts";
import { type PauseLengthsMs, pauseSeconds } from "./pauses.ts";
import type { ChunkAudio, ChunkBoundary, SpeechAudio, SpeechAudioOptions } from "./speech-audio.ts";

/** How chunks are put together. */
export interface ChunkAssembly {
  /** Whether silence and noise around each chunk's speech are cut. */
  readonly trim: boolean;
  readonly pausesMs: PauseLengthsMs;
  /** Silence before the first chunk, exactly. */
  readonly leadingPauseSeconds: number;
  /** Pauses that the text asks for are so many times longer, for audio that is sped up afterwards. */
  readonly playbackSpeed: number;
}

/** Digital silence is given in pieces of at most this. */
const SILENCE_PIECE_SAMPLES = 24_000;

/**
 * Audio that is decoded chunk by chunk, each as if it were alone, so that its samples are those that the guard has seen. Between the
 * chunks lies silence; how the audio is given does not change its samples.
 */
export class ChunkedAudio implements SpeechAudio {
  readonly #decoder: CodecDecoder;
  readonly #options: SpeechAudioOptions;
  readonly #assembly: ChunkAssembly;
  readonly #sink: AudioSink;
  /** Of a listener who wants early parts. */
  readonly #playback: Playback | null;
  readonly #lookaheadFrames: number;
  #attempt: Attempt;
  #chunksBegun = 0;
  /** Silence that is due before the next sample of speech. Its natural silence counts, up to `#reducible` samples. */
  #due: number;
  #reducible = 0;

  constructor(decoder: CodecDecoder, assembly: ChunkAssembly, options: SpeechAudioOptions) {
    this.#decoder = decoder;
    this.#options = options;
    this.#assembly = assembly;
    const isEarly = options.onAudio !== undefined && options.audioParts !== "exact";
    this.#playback = isEarly ? decoder.openPlayback() : null;
    this.#sink = new AudioSink(options, (samples) => this.#playback?.give(samples / decoder.sampleRateHz));
    const isWhole = options.audioParts === "exact" || !this.#sink.isStreaming;
    this.#lookaheadFrames = isWhole ? Number.POSITIVE_INFINITY : (options.lookaheadFrames ?? 0);
    this.#due = this.#samplesOf(assembly.leadingPauseSeconds * assembly.playbackSpeed);
    this.#attempt = this.#newAttempt();
  }

  get wantsFrames(): boolean {
    return this.#sink.isStreaming;
  }

  get sentSeconds(): number {
    return this.#attempt.cutter.takenSamples / this.#decoder.sampleRateHz;
  }

  get decodeMs(): number {
    return this.#sink.decodeMs;
  }

  get firstAudioAtMs(): number | null {
    return this.#sink.firstAudioAtMs;
  }

  beginChunk(): void {
    this.#chunksBegun += 1;
    this.#attempt = this.#newAttempt();
  }

  push(codes: Codes): void {
    this.#sink.throwFailure();
    const attempt = this.#attempt;
    attempt.receivedFrames += framesIn(codes);
    attempt.stream ??= this.#openStream();
    attempt.stream.add(codes);
    const decoding = attempt.stream.decodeDue(this.#callOptions());
    if (decoding !== null) this.#decode(attempt, decoding);
  }

  dropAttempt(): void {
    const attempt = this.#attempt;
    attempt.isDropped = true;
    attempt.stream?.drop();
    if (attempt.cutter.takenSamples === 0) this.#attempt = this.#newAttempt();
    else attempt.cutter.abandon();
  }

  async decodedChunk(codes: Codes): Promise<Float32Array> {
    const attempt = this.#attempt;
    this.#decodeRest(attempt, codes);
    await this.#sink.settle();
    this.#sink.throwFailure();
    return attempt.cutter.samples;
  }

  async endChunk(codes: Codes, boundary: ChunkBoundary): Promise<ChunkAudio> {
    this.#sink.throwFailure();
    const attempt = this.#attempt;
    if (!attempt.isDropped) this.#decodeRest(attempt, codes);
    let audio: ChunkAudio | null = null;
    this.#sink.run(() => {
      audio = this.#end(attempt, boundary);
    });
    await this.#sink.settle();
    this.#sink.throwFailure();
    if (audio === null) throw new Error("The chunk was not ended");
    return audio;
  }

  async finish(): Promise<Float32Array> {
    await this.#sink.settle();
    this.#playback?.end();
    this.#sink.throwFailure();
    return this.#sink.kept();
  }

  async settle(): Promise<void> {
    await this.#sink.settle();
    this.#playback?.end();
  }

  #newAttempt(): Attempt {
    const followsAudio = this.#chunksBegun > 1 || this.#assembly.leadingPauseSeconds > 0;
    const { sampleRateHz } = this.#decoder;
    return {
      cutter: new ChunkCutter({ sampleRateHz, trim: this.#assembly.trim, followsAudio }),
      stream: null,
      receivedFrames: 0,
      isDecoded: false,
      isDropped: false,
      startSample: null,
    };
  }

  #openStream(): CodecStream {
    return this.#playback === null ? this.#decoder.exactStream() : this.#decoder.stream({ playback: this.#playback });
  }

  /** Asks for what is not decoded yet of the attempt, once. */
  #decodeRest(attempt: Attempt, codes: Codes): void {
    if (attempt.isDecoded) return;
    attempt.isDecoded = true;
    // A chunk that was spoken before comes without having been pushed.
    if (this.#sink.isStreaming && attempt.stream === null) this.push(codes);
    const { stream } = attempt;
    const rest = stream === null ? this.#decoder.decode(codes, this.#callOptions()) : stream.rest(this.#callOptions());
    this.#decode(attempt, rest);
  }

  #decode(attempt: Attempt, decoding: Promise<Float32Array> | AsyncIterable<Float32Array>): void {
    this.#sink.take(decoding, (pcm) => {
      if (attempt.isDropped) return;
      attempt.cutter.push(pcm);
      this.#giveReady(attempt);
    });
  }

  /** Gives what is certain and far enough behind the last frame. */
  #giveReady(attempt: Attempt): void {
    const { cutter, receivedFrames } = attempt;
    // How much silence is due before the chunk is known when its speech begins.
    if (this.#due > 0 && this.#reducible > 0 && cutter.leadSilence === null) return;
    const limit = (receivedFrames - this.#lookaheadFrames) * this.#decoder.samplesPerFrame;
    this.#give(attempt, cutter.take(limit));
  }

  #give(attempt: Attempt, pcm: Float32Array): void {
    if (pcm.length === 0) return;
    if (attempt.startSample === null) {
      const natural = Math.min(this.#reducible, attempt.cutter.leadSilence ?? 0);
      this.#giveSilence(Math.max(0, this.#due - natural));
      this.#due = 0;
      this.#reducible = 0;
      attempt.startSample = this.#sink.sampleCount;
    }
    this.#sink.give(pcm);
  }

  #end(attempt: Attempt, { end, pauseAfterSeconds, isLast }: ChunkBoundary): ChunkAudio {
    const { pausesMs, playbackSpeed } = this.#assembly;
    const precedesAudio = !isLast || (pauseAfterSeconds ?? 0) > 0;
    const { pcm, trimmedStart, trimmedEnd, tailSilence } = attempt.cutter.end({ precedesAudio });
    this.#give(attempt, pcm);
    const endSample = this.#sink.sampleCount;
    if (pauseAfterSeconds !== null) {
      this.#giveSilence(this.#samplesOf(pauseAfterSeconds * playbackSpeed));
    } else if (!isLast) {
      this.#owePause(this.#samplesOf(pauseSeconds(end, pausesMs)) - tailSilence);
    }
    const { sampleRateHz } = this.#decoder;
    return {
      startSeconds: (attempt.startSample ?? endSample) / sampleRateHz,
      endSeconds: endSample / sampleRateHz,
      trimmedStartSeconds: trimmedStart / sampleRateHz,
      trimmedEndSeconds: trimmedEnd / sampleRateHz,
    };
  }

  /** Silence before the next chunk, of which what is certain is given at once: the listener's player may run dry. */
  #owePause(samples: number): void {
    if (samples <= 0) return;
    const mayCome = this.#assembly.trim ? this.#samplesOf(KEPT_SILENCE_SECONDS) : samples;
    const certain = Math.max(0, samples - mayCome);
    this.#giveSilence(certain);
    this.#due = samples - certain;
    this.#reducible = this.#due;
  }

  #giveSilence(samples: number): void {
    for (let left = samples; left > 0; left -= SILENCE_PIECE_SAMPLES) {
      this.#sink.give(new Float32Array(Math.min(left, SILENCE_PIECE_SAMPLES)));
    }
  }

  #samplesOf(seconds: number): number {
    return Math.round(seconds * this.#decoder.sampleRateHz);
  }

  #callOptions(): Pick<SpeechAudioOptions, "signal"> {
    return { signal: this.#options.signal };
  }
}

/** One try at a chunk. */
interface Attempt {
  readonly cutter: ChunkCutter;
  /** Null before its first frames, and without a listener. */
  stream: CodecStream | null;
  receivedFrames: number;
  /** All of it was given to the codec. */
  isDecoded: boolean;
  /** Nothing more of it is given. */
  isDropped: boolean;
  /** Where it begins in the whole; null while nothing of it was given. */
  startSample: number | null;
}
