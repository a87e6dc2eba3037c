import { encoderFor } from "@higgs-worker/audio";
import type { JobOutput } from "./job-output.ts";
import type { SpeechJob } from "./parse-input.ts";
import {
  type FinishedSpeechJob,
  runSpeechJob,
  type SpeechJobOptions,
  type SpeechJobServices,
} from "./run-speech-job.ts";

/** A part of the audio as a stream item: always a complete WAV file, regardless of `output_format`. */
export interface AudioItem {
  readonly type: "audio";
  /** 0, 1, 2 … over all items of the job. */
  readonly sequence: number;
  /** The part's offset in the whole audio, in samples; parts are gapless. */
  readonly sample_offset: number;
  readonly samples: number;
  readonly sample_rate: number;
  readonly format: "wav";
  readonly audio_base64: string;
}

/** The last item: the job's output without the audio, which came before. */
export interface FinalItem {
  readonly type: "final";
  readonly sequence: number;
  readonly output: JobOutput;
}

export type StreamItem = AudioItem | FinalItem;

/** Ten seconds at 24 kHz are 640 kB of base64; the platform takes 1 MB (spec platform §3.6). */
const MAX_ITEM_SAMPLES = 240_000;

type StreamOptions = Pick<SpeechJobOptions, "signal" | "onProgress" | "trace">;

interface PcmPart {
  readonly pcm: Float32Array;
  readonly sampleRateHz: number;
}

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
  const { parts, finished } = startSpeaking(job, services, options);
  let sequence = 0;
  let sampleOffset = 0;
  for await (const part of parts) {
    for (const { pcm, sampleRateHz } of pieces(part)) {
      yield await audioItem(pcm, sampleRateHz, sequence, sampleOffset);
      sequence += 1;
      sampleOffset += pcm.length;
    }
  }
  const { output } = await finished;
  yield { type: "final", sequence, output: { ...output, audio_base64: null } };
  return await finished;
}

/** Starts the job; `parts` ends when the job does, and the job ends when `parts` is left early. */
function startSpeaking(
  job: SpeechJob,
  services: SpeechJobServices,
  { signal, ...options }: StreamOptions,
): { readonly parts: ReadableStream<PcmPart>; readonly finished: Promise<FinishedSpeechJob> } {
  const left = new AbortController();
  let finished: Promise<FinishedSpeechJob> = Promise.reject(new Error("the job was not started"));
  finished.catch(() => undefined);
  const parts = new ReadableStream<PcmPart>({
    start: (queue) => {
      finished = runSpeechJob(job, services, {
        signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]),
        ...options,
        onAudio: (pcm, sampleRateHz) => {
          if (!left.signal.aborted) queue.enqueue({ pcm, sampleRateHz });
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

function* pieces({ pcm, sampleRateHz }: PcmPart): Generator<PcmPart> {
  for (let start = 0; start < pcm.length; start += MAX_ITEM_SAMPLES) {
    yield { pcm: pcm.subarray(start, start + MAX_ITEM_SAMPLES), sampleRateHz };
  }
}

async function audioItem(
  pcm: Float32Array,
  sampleRateHz: number,
  sequence: number,
  sampleOffset: number,
): Promise<AudioItem> {
  const file = await encoderFor("wav").encode(pcm, { sampleRateHz });
  return {
    type: "audio",
    sequence,
    sample_offset: sampleOffset,
    samples: pcm.length,
    sample_rate: sampleRateHz,
    format: "wav",
    audio_base64: Buffer.from(file.buffer, file.byteOffset, file.byteLength).toString("base64"),
  };
}
