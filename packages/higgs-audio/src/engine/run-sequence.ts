import type { CodebookConfig } from "./codebook-config.ts";
import { ColumnDecoder, type ColumnDecoderOptions, type FinishReason } from "./column-decoder.ts";

/** The model as a sequence sees it: something is fed, the logits of what follows come back. */
export interface LogitsSource {
  /** Feeds the prompt; its text logits. Ignored when the prompt ends with `<|audio_out_bos|>`. */
  feedPrompt(): Promise<Float32Array>;
  /** Feeds one id of the text stream; the text logits after it. Ignored after `<|audio_out_bos|>`. */
  feedText(id: number): Promise<Float32Array>;
  /** Feeds a column; numCodebooks rows of codebookSize logits. The array may be reused by the next call. */
  feedColumn(column: Int32Array): Promise<Float32Array>;
}

/** Ids of the text stream that the loop writes or acts on (spec model §2.3). */
export interface TextStreamIds {
  readonly audioOutBos: number;
  readonly audioOut: number;
  /** Ends a segment in boson's text stream. */
  readonly audioEos: number;
  /** Stands for a column of native's ramp-down. */
  readonly audioDelay: number;
  /** Ends native's text stream, and boson's too. */
  readonly eot: number;
  readonly endOfText: number;
}

export interface SequenceOptions extends ColumnDecoderOptions {
  readonly textIds: TextStreamIds;
  /** Whether the prompt ends with `<|audio_out_bos|>`; native knows nothing else. */
  readonly forcesAudio: boolean;
}

/** One piece of audio between `<|audio_out_bos|>` and its end. */
export interface Segment {
  readonly finished: FinishReason;
  /** `columns[column * numCodebooks + codebook]` */
  readonly columns: Int32Array;
  /** Places whose candidate RAS replaced: [column, codebook]. */
  readonly redrawn: readonly (readonly [number, number])[];
  /** `codes[codebook][frame]`, trimmed. */
  readonly frames: readonly Int32Array[];
}

export interface SequenceResult {
  /** The text stream after the prompt, one id a step. */
  readonly textIds: readonly number[];
  readonly segments: readonly Segment[];
}

/**
 * Generates one whole sequence (spec model §8.1, §8.6): text until `<|audio_out_bos|>`, audio until the segment
 * ends, then text again (boson only), until an id that stops or `maxColumns` steps. Text is sampled with the same warpers.
 *
 * @throws {HiggsError} GENERATION_FAILED when logits are not finite
 */
export async function runSequence(
  source: LogitsSource,
  config: CodebookConfig,
  options: SequenceOptions,
): Promise<SequenceResult> {
  const ids = options.textIds;
  const decoder = new ColumnDecoder(config, options);
  const textIds: number[] = [];
  const segments: Segment[] = [];
  let textLogits = await source.feedPrompt();
  let isAudioNext = options.forcesAudio;
  while (textIds.length < options.maxColumns) {
    if (isAudioNext) {
      decoder.beginSegment(options.maxColumns - textIds.length);
      segments.push(await runSegment(source, config, decoder, ids, textIds, options.rules === "native"));
      isAudioNext = false;
    } else {
      const uniform = options.uniforms.uniform(textIds.length, 0, "text");
      textIds.push(options.sampler.sampleRow(textLogits, 0, textLogits.length, options.sampling, uniform));
      isAudioNext = textIds.at(-1) === ids.audioOutBos;
    }
    const last = textIds.at(-1);
    if (last === undefined || last === ids.eot || last === ids.endOfText) break;
    if (textIds.length < options.maxColumns) textLogits = await source.feedText(last);
  }
  return { textIds, segments };
}

async function runSegment(
  source: LogitsSource,
  config: CodebookConfig,
  decoder: ColumnDecoder,
  ids: TextStreamIds,
  textIds: number[],
  isNative: boolean,
): Promise<Segment> {
  const column = new Int32Array(config.numCodebooks);
  textIds.push(ids.audioOut);
  while (decoder.finished === null) {
    decoder.copyLastColumn(column);
    decoder.step(await source.feedColumn(column));
    if (decoder.outcome === "audio") textIds.push(ids.audioOut);
    else if (decoder.outcome === "delay") textIds.push(ids.audioDelay);
    else textIds.push(isNative ? ids.eot : ids.audioEos);
  }
  return describeSegment(decoder, config, decoder.finished);
}

function describeSegment(decoder: ColumnDecoder, config: CodebookConfig, finished: FinishReason): Segment {
  const redrawn: [number, number][] = [];
  for (let column = 0; column < decoder.columnCount; column++) {
    for (let codebook = 0; codebook < config.numCodebooks; codebook++) {
      if (decoder.isRedrawn(column, codebook)) redrawn.push([column, codebook]);
    }
  }
  return { finished, columns: decoder.columns(), redrawn, frames: decoder.frames() };
}
