import type { CodecDecoder } from "../codec/codec-decoder.ts";
import type { CodecStream } from "../codec/codec-stream.ts";
import type { Playback } from "../codec/playback.ts";
import { framesIn, joinCodes } from "../codec/codes.ts";
import type { Codes } from "../prompt/messages.ts";
import { AudioSink } from "./audio-sink.ts";
import type { ChunkAudio, SpeechAudio, SpeechAudioOptions } from "./speech-audio.ts";

/**
 * The audio of the reference implementations: decoded from the codes of all chunks joined, so that the codec hears each joint, with
 * nothing cut and nothing put between.
 */
export class JoinedAudio implements SpeechAudio {
  readonly #decoder: CodecDecoder;
  readonly #options: SpeechAudioOptions;
  readonly #sink: AudioSink;
  /** Of a listener who wants early parts. */
  readonly #playback: Playback | null;
  /** Null without a listener: all is decoded at the end. */
  readonly #stream: CodecStream | null;
  /** Codes of the chunks that have ended; kept without a listener only. */
  readonly #ended: Codes[] = [];
  /** Of this attempt, not given to the codec yet. */
  #held: Codes[] = [];
  #heldFrames = 0;
  #chunkSentFrames = 0;
  #endedFrames = 0;

  constructor(decoder: CodecDecoder, options: SpeechAudioOptions) {
    this.#decoder = decoder;
    this.#options = options;
    const isEarly = options.onAudio !== undefined && options.audioParts !== "exact";
    this.#playback = isEarly ? decoder.openPlayback() : null;
    this.#sink = new AudioSink(options, (samples) => this.#playback?.give(samples / decoder.sampleRateHz));
    if (!this.#sink.isStreaming) this.#stream = null;
    else this.#stream = this.#playback === null ? decoder.exactStream() : decoder.stream({ playback: this.#playback });
  }

  get wantsFrames(): boolean {
    return this.#stream !== null;
  }

  get sentSeconds(): number {
    return this.#seconds(this.#chunkSentFrames);
  }

  get decodeMs(): number {
    return this.#sink.decodeMs;
  }

  get firstAudioAtMs(): number | null {
    return this.#sink.firstAudioAtMs;
  }

  beginChunk(): void {
    this.dropAttempt();
    this.#chunkSentFrames = 0;
  }

  push(codes: Codes): void {
    this.#sink.throwFailure();
    if (this.#stream === null) return;
    this.#held.push(codes);
    this.#heldFrames += framesIn(codes);
    const { lookaheadFrames = 0 } = this.#options;
    while (this.#heldFrames > lookaheadFrames) {
      const [first] = this.#held;
      if (first === undefined || this.#heldFrames - framesIn(first) < lookaheadFrames) return;
      this.#held.shift();
      this.#heldFrames -= framesIn(first);
      this.#send(first);
    }
  }

  dropAttempt(): void {
    this.#held = [];
    this.#heldFrames = 0;
  }

  /** Decoded for itself: without the chunks around it, so its ends differ a little from what is given. */
  async decodedChunk(codes: Codes): Promise<Float32Array> {
    const startMs = performance.now();
    const pcm = await this.#decoder.decode(codes, { signal: this.#options.signal });
    this.#sink.decodeMs += performance.now() - startMs;
    return pcm;
  }

  async endChunk(codes: Codes): Promise<ChunkAudio> {
    this.#sink.throwFailure();
    const frames = this.#stream === null ? framesIn(codes) : this.#chunkSentFrames + this.#heldFrames;
    if (this.#stream === null) this.#ended.push(codes);
    for (const held of this.#held) this.#send(held);
    this.dropAttempt();
    const startSeconds = this.#seconds(this.#endedFrames);
    this.#endedFrames += frames;
    const endSeconds = this.#seconds(this.#endedFrames);
    return { startSeconds, endSeconds, trimmedStartSeconds: 0, trimmedEndSeconds: 0 };
  }

  async finish(): Promise<Float32Array> {
    const stream = this.#stream;
    const { signal } = this.#options;
    const rest = stream === null ? this.#decoder.decode(joinCodes(this.#ended), { signal }) : stream.rest({ signal });
    this.#sink.take(rest, (pcm) => this.#sink.give(pcm));
    await this.#sink.settle();
    this.#playback?.end();
    this.#sink.throwFailure();
    return this.#sink.kept();
  }

  async settle(): Promise<void> {
    await this.#sink.settle();
    this.#playback?.end();
  }

  #send(codes: Codes): void {
    if (this.#stream === null) return;
    this.#chunkSentFrames += framesIn(codes);
    const { signal } = this.#options;
    this.#stream.add(codes);
    const decoding = this.#stream.decodeDue({ signal });
    if (decoding !== null) this.#sink.take(decoding, (pcm) => this.#sink.give(pcm));
  }

  #seconds(frames: number): number {
    const { samplesPerFrame, sampleRateHz } = this.#decoder;
    return (frames * samplesPerFrame) / sampleRateHz;
  }
}
