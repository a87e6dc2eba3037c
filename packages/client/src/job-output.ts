/** `output` of a job that completed (docs/JOB.md). */
export interface JobOutput {
  readonly success: true;
  /** `s3://…`, `file:///…` or `https://…`; null when the audio is in `audio_base64`. */
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
  readonly timings: {
    readonly queue_ms: number;
    readonly prefill_ms: number;
    readonly generate_ms: number;
    readonly decode_ms: number;
    readonly upload_ms: number;
    readonly total_ms: number;
    readonly first_audio_ms: number;
  };
  readonly usage: {
    readonly characters: number;
    readonly prompt_tokens: number;
    /** 25 per second of audio. */
    readonly audio_frames: number;
    /** Real-time factor: seconds of work per second of audio. */
    readonly rtf: number;
  };
  /** Where the chapters of the text are in the audio, in order; empty without. */
  readonly chapters: readonly JobChapter[];
  /** The text with its times, as a file of the wanted format; null unless wanted. */
  readonly captions: string | null;
  readonly quality: JobQuality;
  readonly warnings: readonly string[];
}

export interface JobChapter {
  readonly title: string;
  readonly start_seconds: number;
  /** The next chapter's start, or the end of the audio. */
  readonly end_seconds: number;
}

/** Whether the speech is known to be good. */
export interface JobQuality {
  /** 0 … 1, that of the worst chunk; below 0.5 one has a bad finding. Null without the guard. */
  readonly score: number | null;
  /** How often chunks were spoken again. */
  readonly retries: number;
  /** Findings of all chunks. */
  readonly findings: number;
  readonly chunks: readonly {
    readonly start_seconds: number;
    readonly end_seconds: number;
    /** `eos`: the model ended the speech; `length`: a limit cut it off. */
    readonly finish_reason: "eos" | "length";
    /** How often it was spoken, 1 or more. */
    readonly attempts: number;
    readonly score: number | null;
    readonly findings: readonly {
      /** What is wrong, such as `LOOP`; more may come. */
      readonly code: string;
      readonly start_seconds: number;
      readonly end_seconds: number;
      readonly detail: string;
      /** What was measured, and the limit that it is beyond. */
      readonly value: number;
      readonly limit: number;
      /** Whether it is reason enough to speak the chunk again. */
      readonly is_bad: boolean;
    }[];
  }[];
}

/** `output` of a job that runs. */
export interface JobProgress {
  readonly chunk: number;
  readonly chunks: number;
  readonly audio_seconds: number;
  readonly elapsed_ms: number;
  /** Estimated work left; null as long as nothing is known. */
  readonly remaining_seconds: number | null;
  /** Bytes of the audio that the store has. */
  readonly uploaded_bytes: number;
  /** Parts of the upload that the store has; one for audio that is stored in one piece. */
  readonly uploaded_parts: number;
}

/** A part of the audio of a streamed job; those in `wav` are files of their own, all others slices of one. */
export interface AudioItem {
  readonly type: "audio";
  /** 0, 1, 2 … over all items of the job. */
  readonly sequence: number;
  /** Offset in the whole audio of the samples that were encoded since the item before. */
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
