import { HiggsError } from "@higgs-worker/base";
import { AUDIO_SHAPE } from "../checkpoint/released-config.ts";
import { framesIn } from "../codec/codes.ts";
import { ChunkRandom } from "../engine/rng.ts";
import type { ChunkTurns } from "../prompt/conversation.ts";
import type { Message } from "../prompt/messages.ts";
import { splitChunk } from "../prompt/split-chunk.ts";
import type { PlannedChunk } from "../prompt/speech-plan.ts";
import type { ChunkJudge } from "./chunk-judge.ts";
import type { ChunkSpeaker, GeneratedChunk } from "./chunk-speaker.ts";
import type { FinishedChunks } from "./finished-chunks.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { SpeechAudio } from "./speech-audio.ts";
import type { ProgressReporter } from "./speech-progress.ts";
import { type AttemptJudge, isBad, speakInAttempts } from "./speak-in-attempts.ts";
import type { HeardPart, SpokenPart } from "./spoken-part.ts";

/** The estimate of a chunk's length may be short by so much: its audio takes at most estimate / share. */
const SURE_SHARE = 0.6;
/** A chunk that goes on and on whatever its size is not divided for ever. */
const MAX_SPLITS = 3;
/** Variants of the draws of one part of a chunk: more than it has attempts. */
const VARIANTS_PER_PART = 32;

export interface PlanSpeakerOptions {
  readonly chunks: readonly PlannedChunk[];
  readonly seed: number;
  /** Chunks that were spoken before the plan's under the same seed. */
  readonly chunksBefore: number;
  readonly signal: AbortSignal | undefined;
  readonly speaker: Pick<ChunkSpeaker, "open" | "countRows" | "speak">;
  /** Turns before the first chunk; `turns` begin with them. */
  readonly fixedMessages: readonly Message[];
  readonly turns: ChunkTurns;
  readonly audio: SpeechAudio;
  readonly finished: Pick<FinishedChunks, "find" | "add" | "settle">;
  /** Null without the guard. */
  readonly judge: Pick<ChunkJudge, "watch" | "inspect" | "needsVoice" | "hear"> | null;
  readonly budget: Pick<RetryBudget, "allows" | "note">;
  readonly progress: Pick<ProgressReporter, "advance" | "endChunk" | "resumeChunk">;
  /** Columns of one chunk, and positions of its prompt and columns together. */
  readonly maxColumns: number;
  readonly contextLength: number;
  /** Whether a chunk that is cut off by its limit is divided and spoken again. */
  readonly splits: boolean;
  /** Whether one that is cut off and cannot be divided is kept. */
  readonly allowsTruncated: boolean;
  readonly onWarning: (warning: string) => void;
}

/** A chunk of the plan, or a part of one that was cut off. */
interface Task {
  readonly chunk: PlannedChunk;
  /** 0 for the whole chunk, then counted over all its parts. */
  readonly part: number;
}

/** Speaks the chunks of a plan, one after the other. */
export class PlanSpeaker {
  readonly #options: PlanSpeakerOptions;
  readonly #heard: HeardPart[] = [];
  /** The chunk of the plan that is spoken now, and its parts that wait. */
  #planIndex = 0;
  #waitingCount = 0;

  constructor(options: PlanSpeakerOptions) {
    this.#options = options;
  }

  /**
   * Speaks all chunks.
   *
   * @throws {HiggsError} AUDIO_TRUNCATED when the audio of a chunk ends before its text does
   * @throws {HiggsError} GENERATION_FAILED when the model makes no audio
   */
  async speak(): Promise<readonly HeardPart[]> {
    const { chunks, finished } = this.#options;
    for (const [planIndex, chunk] of chunks.entries()) {
      this.#planIndex = planIndex;
      const kept = await finished.find();
      if (kept === null) finished.add(await this.#speakChunk(chunk));
      else await this.#resumeChunk(kept);
    }
    await finished.settle();
    return this.#heard;
  }

  /** Speaks a chunk of the plan, in parts where it has to be divided. */
  async #speakChunk(planned: PlannedChunk): Promise<SpokenPart[]> {
    const { audio, turns } = this.#options;
    const tasks: Task[] = [{ chunk: planned, part: 0 }];
    const spoken: SpokenPart[] = [];
    let splitCount = 0;
    let partCount = 1;
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      this.#waitingCount = tasks.length;
      audio.beginChunk();
      const part = await this.#attempt(task);
      const isSplit = splitCount < MAX_SPLITS && part.generated.finished === "length" && this.#canSplit();
      const smaller = isSplit ? splitChunk(task.chunk) : null;
      if (smaller !== null) {
        turns.dropChunk();
        audio.dropAttempt();
        tasks.unshift(...smaller.map((chunk) => ({ chunk, part: partCount++ })));
        splitCount += 1;
        continue;
      }
      this.#options.progress.endChunk(framesIn(part.generated.codes), {
        ...this.#place,
        retries: part.attempts.count - 1,
      });
      await this.#endPart(part);
      spoken.push(part);
    }
    return spoken;
  }

  /** Goes on behind a chunk that was spoken before, as if it had been spoken now. */
  async #resumeChunk(parts: readonly SpokenPart[]): Promise<void> {
    const { audio, turns, progress, judge } = this.#options;
    for (const [index, part] of parts.entries()) {
      this.#waitingCount = parts.length - 1 - index;
      const { codes } = part.generated;
      audio.beginChunk();
      turns.startChunk(part.chunk.text, (messages) => this.#fits(messages, part.chunk));
      if (audio.wantsFrames) audio.push(codes);
      if (judge !== null && !isBad(part) && (await judge.needsVoice(part.chunk))) {
        await judge.hear(part.chunk, await audio.decodedChunk(codes));
      }
      progress.resumeChunk(framesIn(codes), this.#place);
      await this.#endPart(part);
    }
  }

  async #endPart(part: SpokenPart): Promise<void> {
    const { chunks, turns, audio } = this.#options;
    const { chunk, generated } = part;
    if (generated.finished === "length") this.#acceptTruncated(generated);
    turns.endChunk(generated.codes);
    const isLast = this.#planIndex + 1 === chunks.length && this.#waitingCount === 0;
    const { end, pauseAfterSeconds } = chunk;
    const heard = await audio.endChunk(generated.codes, { end, pauseAfterSeconds, isLast });
    this.#heard.push({ ...part, planIndex: this.#planIndex, audio: heard });
  }

  async #attempt({ chunk, part }: Task): Promise<SpokenPart> {
    const { turns, speaker, audio, budget, progress, seed, chunksBefore, signal } = this.#options;
    const prompt = speaker.open(turns.startChunk(chunk.text, (messages) => this.#fits(messages, chunk)));
    const prefixRows = speaker.countRows(this.#prefixMessages());
    const place = this.#place;
    const { kept, ...attempts } = await speakInAttempts({
      audio,
      budget,
      judge: this.#judgeOf(chunk),
      framesToMake: this.#framesFrom(chunk),
      generate: (attempt, onFrames) => {
        const variant = part * VARIANTS_PER_PART + attempt;
        const uniforms = new ChunkRandom(seed, chunksBefore + this.#planIndex, variant);
        return speaker.speak(prompt, prefixRows, uniforms, {
          signal,
          onFrames: ({ first, end, generator }) => {
            progress.advance(end, { ...place, retries: attempt });
            onFrames(() => generator.frames(first, end), end);
          },
        });
      },
    });
    if (framesIn(kept.generated.codes) === 0) {
      const reason = `the model ended at once${this.#where} (got 0 frames, limit 1)`;
      throw new HiggsError("GENERATION_FAILED", "speak the text", reason);
    }
    const { pcm, ...attempt } = kept;
    if (pcm !== null && !isBad(kept)) await this.#options.judge?.hear(chunk, pcm);
    return { chunk, ...attempt, attempts };
  }

  /** What this prompt may share with others. A voice that only the last of two chunks hears is not worth keeping. */
  #prefixMessages(): readonly Message[] {
    const { turns, fixedMessages, chunks } = this.#options;
    const isShared = this.#heard.length > 1 || this.#planIndex + 1 < chunks.length;
    return isShared ? turns.stableMessages : fixedMessages;
  }

  #judgeOf(chunk: PlannedChunk): AttemptJudge | null {
    const { judge } = this.#options;
    if (judge === null) return null;
    return {
      watch: () => judge.watch(chunk),
      inspect: (generated, pcm) => judge.inspect(chunk, generated, pcm),
    };
  }

  /** What the listener has heard cannot be spoken otherwise. */
  #canSplit(): boolean {
    const { splits, audio } = this.#options;
    return splits && audio.sentSeconds === 0;
  }

  #acceptTruncated({ columnLimit }: GeneratedChunk): void {
    const { maxColumns, contextLength, allowsTruncated, onWarning } = this.#options;
    const limit =
      columnLimit < maxColumns
        ? `the context of ${contextLength} positions is full`
        : `max_new_tokens of ${maxColumns} is reached`;
    if (allowsTruncated) onWarning(`The audio is cut off${this.#where}: ${limit}`);
    else
      throw new HiggsError("AUDIO_TRUNCATED", "speak the whole text", `the audio is cut off${this.#where}: ${limit}`);
  }

  /** Whether a prompt leaves room for the speech of a chunk, also when it is longer than estimated. */
  #fits(messages: readonly Message[], { expectedFrames }: PlannedChunk): boolean {
    const { speaker, maxColumns, contextLength } = this.#options;
    const columns = Math.ceil(expectedFrames / SURE_SHARE) + AUDIO_SHAPE.columnsBesideFrames;
    return speaker.open(messages).rows.isAudio.length + Math.min(maxColumns, columns) <= contextLength;
  }

  /** Of this chunk and all behind it, by estimate. */
  #framesFrom(chunk: PlannedChunk): number {
    const later = this.#options.chunks.slice(this.#planIndex + 1);
    return later.reduce((sum, { expectedFrames }) => sum + expectedFrames, chunk.expectedFrames);
  }

  /** Of the part that is spoken now, among all that there are as far as is known. */
  get #place(): { readonly chunkIndex: number; readonly chunkCount: number } {
    const later = this.#options.chunks.length - 1 - this.#planIndex;
    return { chunkIndex: this.#heard.length, chunkCount: this.#heard.length + 1 + this.#waitingCount + later };
  }

  get #where(): string {
    const { chunkIndex, chunkCount } = this.#place;
    return chunkCount === 1 ? "" : ` in chunk ${chunkIndex + 1} of ${chunkCount}`;
  }
}
