/** `output` of a job that completed (docs/JOB.md). */
export interface JobOutput {
  readonly success: true;
  /** `s3://…` or `file:///…`; null when the audio is in `audio_base64`. */
  readonly audio_url: string | null;
  readonly duration_seconds: number;
  /** Samples per second. */
  readonly sample_rate: number;
  /** The text that was spoken, after normalization. */
  readonly text_output: string;
  readonly metadata: {
    readonly model_used: string;
    /** Names of the references, with commas; null without. */
    readonly voice_clone: string | null;
    /** Every effective parameter, including the seed, so that the job can be repeated. */
    readonly generation_parameters: Readonly<Record<string, unknown>> & { readonly seed: number };
  };
  /** A signed URL that any player can open; null without a bucket. */
  readonly download_url: string | null;
  readonly audio_base64: string | null;
  readonly format: string;
  readonly size_bytes: number;
  /** Of the audio file, lower-case hex. */
  readonly sha256: string;
  /** Milliseconds. */
  readonly timings: Readonly<Record<string, number>>;
  readonly usage: {
    readonly characters: number;
    readonly prompt_tokens: number;
    /** 25 per second of audio. */
    readonly audio_frames: number;
    /** Real-time factor: seconds of work per second of audio. */
    readonly rtf: number;
  };
  readonly warnings: readonly string[];
}

/** `output` of a job that runs. */
export interface JobProgress {
  readonly chunk: number;
  readonly chunks: number;
  readonly audio_seconds: number;
  readonly elapsed_ms: number;
  /** Estimated work left; null as long as nothing is known. */
  readonly remaining_seconds: number | null;
}

/** A part of the audio of a streamed job. */
export interface AudioItem {
  readonly type: "audio";
  /** 0, 1, 2 … over all items of the job. */
  readonly sequence: number;
  /** The part's offset in the whole audio, in samples. */
  readonly sample_offset: number;
  readonly samples: number;
  readonly sample_rate: number;
  readonly format: string;
  readonly audio_base64: string;
}

/** The last item of a streamed job: its output. */
export interface FinalItem {
  readonly type: "final";
  readonly sequence: number;
  readonly output: JobOutput;
}

export type StreamItem = AudioItem | FinalItem;
