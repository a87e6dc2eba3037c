import { encoderFor, openOutputPcm, streamEncoderFor, type AudioFormat } from "@higgs-worker/audio";
import { AUDIO_SHAPE } from "@higgs-worker/higgs-audio/requests";
import { fileOptions } from "./file-options.ts";
import type { JobOutput } from "./job-output.ts";
import type { SpeechJob } from "./parse-input.ts";
import {
  type FinishedSpeechJob,
  runSpeechJob,
  type SpeechJobOptions,
  type SpeechJobServices,
} from "./run-speech-job.ts";

/**
 * A part of the audio as a stream item. WAV items are complete files; those of any other format are slices of one stream, to be put
 * together byte by byte.
 */
export interface AudioItem {
  readonly type: "audio";
  /** 0, 1, 2 … over all items of the job. */
  readonly sequence: number;
  /** Offset in the whole audio of the samples that were encoded since the item before; gapless. */
  readonly sample_offset: number;
  /** How many; encoders hold some back, so that a slice can end before or after the last of them. */
  readonly samples: number;
  readonly sample_rate: number;
  readonly format: AudioFormat;
  readonly audio_base64: string;
}

/** The last item: the job's output without the audio, which came before. */
export interface FinalItem {
  readonly type: "final";
  readonly sequence: number;
  readonly output: JobOutput;
}

export type StreamItem = AudioItem | FinalItem;

/** Ten seconds of 16 bits at 24 kHz are 640 kB of base64; the platform takes 1 MB (spec platform §3.6). */
const MAX_ITEM_SAMPLES = 240_000;

type StreamOptions = Pick<SpeechJobOptions, "signal" | "deadlineAtMs" | "onProgress" | "trace" | "whenAnswered">;

/**
 * Runs a job and yields its audio while it is generated. Returns the finished job; ending the iteration stops the speech.
 *
 * @throws {HiggsError} as `runSpeechJob` does
 */
export async function* streamSpeechJob(
  job: SpeechJob,
  services: SpeechJobServices,
  options: StreamOptions,
): AsyncGenerator<StreamItem, FinishedSpeechJob> {
  const items = await openItems(job);
  try {
    const { parts, finished } = startSpeaking(job, services, options);
    for await (const pcm of parts) yield* items.add(pcm);
    const { output } = await finished;
    yield* items.end();
    yield { type: "final", sequence: items.count, output: { ...output, audio_base64: null } };
    return await finished;
  } finally {
    items.close();
  }
}

/** Starts the job; `parts` ends when the job does, and the job ends when `parts` is left early. */
function startSpeaking(
  job: SpeechJob,
  services: SpeechJobServices,
  { signal, ...options }: StreamOptions,
): { readonly parts: ReadableStream<Float32Array>; readonly finished: Promise<FinishedSpeechJob> } {
  const left = new AbortController();
  let finished: Promise<FinishedSpeechJob> = Promise.reject(new Error("the job was not started"));
  finished.catch(() => undefined);
  const parts = new ReadableStream<Float32Array>({
    start: (queue) => {
      finished = runSpeechJob(job, services, {
        signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]),
        ...options,
        onAudio: (pcm) => {
          if (!left.signal.aborted) queue.enqueue(pcm);
        },
      });
      const close = () => {
        if (!left.signal.aborted) queue.close();
      };
      finished.then(close, close);
    },
    cancel: () => left.abort(),
  });
  return { parts, finished };
}

/** The items of a job in the making. */
interface Items {
  /** Those so far. */
  readonly count: number;
  /** The items that are ready with these samples of the speech. */
  add(speech: Float32Array): AsyncGenerator<AudioItem>;
  /** The last ones. */
  end(): AsyncGenerator<AudioItem>;
  close(): void;
}

async function openItems({ input }: SpeechJob): Promise<Items> {
  const options = fileOptions(input, AUDIO_SHAPE.sampleRateHz);
  const format = input.output_format;
  const pcm = openOutputPcm(options);
  const { sampleRateHz } = pcm;
  const stream =
    format === "wav" ? null : await streamEncoderFor(format).openStream({ ...options, sampleRateHz, purpose: "live" });
  let count = 0;
  /** Samples that are in items, and those that were encoded since. */
  let offset = 0;
  let samples = 0;

  const encoded = async (piece: Float32Array) => {
    samples += piece.length;
    if (stream !== null) return await stream.write(piece);
    return await encoderFor("wav").encode(piece, { sampleRateHz });
  };
  const item = (bytes: Uint8Array): AudioItem => {
    const { buffer, byteOffset, byteLength } = bytes;
    const audio_base64 = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
    const made = { sequence: count, sample_offset: offset, samples, sample_rate: sampleRateHz, format, audio_base64 };
    count += 1;
    offset += samples;
    samples = 0;
    return { type: "audio", ...made };
  };
  async function* items(ready: Float32Array): AsyncGenerator<AudioItem> {
    for (let start = 0; start < ready.length; start += MAX_ITEM_SAMPLES) {
      const bytes = await encoded(ready.subarray(start, start + MAX_ITEM_SAMPLES));
      if (bytes.length > 0) yield item(bytes);
    }
  }

  return {
    get count() {
      return count;
    },
    add: (speech) => items(pcm.write(speech)),
    end: async function* end() {
      yield* items(pcm.end());
      if (stream === null) return;
      const { tail } = await stream.end();
      if (tail.length > 0) yield item(tail);
    },
    close: () => stream?.close(),
  };
}
