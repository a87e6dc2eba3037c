// Generated from apps/worker/src/job/job-fields.ts by `npm run docs:generate`; do not edit.

/** `input` of a job. Fields that are absent or null get their defaults (docs/JOB.md). */
export interface JobInput {
  /**
   * What is said; `[SPEAKERn]` tags for dialogue; at least one letter or digit besides them; strings of the form
   * `<|…|>` are refused (at most 20000 characters).
   */
  readonly transcript: string;
  /** Whose voice; see References and VOICES.md. */
  readonly ref_audio?: string | RefAudioObject | readonly (string | RefAudioObject)[] | null;
  /**
   * Describe the voices in the system message instead of as earlier turns; profiles are always described (default
   * false).
   */
  readonly ref_audio_in_system_message?: boolean | null;
  /**
   * A preset's name, `empty` for none, or a description of the scene (default "quiet_indoor", at most 2000 characters).
   */
  readonly scene_prompt?: string | null;
  /** `false` speaks the text exactly as written (default true). */
  readonly normalize?: boolean | null;
  /**
   * What the text is written in; `raw` is plain text that is left to the model's own rules; see Text formats (default
   * "plain").
   */
  readonly text_format?: "plain" | "markdown" | "html" | "ssml" | "raw" | null;
  /**
   * `skip` leaves blocks of code out, `spell` speaks all code character by character; for `markdown` and `html`
   * (default "skip").
   */
  readonly code?: "skip" | "spell" | null;
  /** `silent` leaves emoji out, `name` speaks their English names; not with `raw` (default "silent"). */
  readonly emoji?: "silent" | "name" | null;
  /**
   * `true` says numbers, dates, times, money, units, telephone numbers and addresses in the words of the text's
   * language, see SPEECH.md (default false).
   */
  readonly spell_out?: boolean | null;
  /**
   * The language of the text, for `spell_out`; its region decides orders such as day before month (at most 64
   * characters).
   */
  readonly language?: string | null;
  /** Sampling temperature; 0 is greedy (default 1, 0 … 2). */
  readonly temperature?: number | null;
  /** Sample from this many of the most likely codes; 0 is off (default 50, 0 … 1026). */
  readonly top_k?: number | null;
  /** Sample from the most likely codes with this total probability; 1 is off (default 0.95, 0 … 1, 0 excluded). */
  readonly top_p?: number | null;
  /**
   * Drop codes less likely than this share of the most likely one's probability; 0 is off (default 0, 0 … 1, 1
   * excluded).
   */
  readonly min_p?: number | null;
  /** Maximum audio frames per chunk, 25 per second (default 2048, 16 … 8192). */
  readonly max_new_tokens?: number | null;
  /**
   * How the text is split into chunks, see SPEECH.md. Automatic (`null`, `auto`, and `None` as Python writes it): one
   * chunk while the text surely fits `max_new_tokens`, else `sentence`. `none`, `word` and `speaker` are the
   * reference's methods.
   */
  readonly chunk_method?: "none" | "word" | "speaker" | "sentence" | "auto" | "None" | null;
  /** Words per chunk, for `word` (default 200, 1 … 100000). */
  readonly chunk_max_word_num?: number | null;
  /** Speaker turns per chunk, for `speaker` (default 1, 1 … 100000). */
  readonly chunk_max_num_turns?: number | null;
  /** Chunks whose audio stays in the prompt; 0 and `null` keep all (0 … 100000). */
  readonly generation_chunk_buffer_size?: number | null;
  /**
   * Cut silence and noise around the speech of each chunk, see SPEECH.md; `null` is `true`, but `false` with the
   * `chunk_method`s of the reference.
   */
  readonly trim?: boolean | null;
  /**
   * Silence in milliseconds between the speech of two chunks, by what the first of them ends with, see SPEECH.md; the
   * defaults are 0 with the `chunk_method`s of the reference.
   */
  readonly pause_ms?: PauseMsObject | null;
  /**
   * With `stream`: frames, 25 per second, that a chunk must be ahead of the audio that is sent, so that bad speech can
   * be taken back; `null` costs no time, see SPEECH.md (0 … 8192).
   */
  readonly lookahead_frames?: number | null;
  /**
   * `true`: audio that ends before its text does is a result with a warning; else the job fails with `AUDIO_TRUNCATED`
   * (default false).
   */
  readonly allow_truncated?: boolean | null;
  /**
   * `true`: the first chunk of each speaker stays in every prompt, so that the voice does not change in a long text;
   * clips in `ref_audio` take its place; `null` is `true` where the text is divided at its sentences.
   */
  readonly voice_consistency?: boolean | null;
  /** `false`: chunks are not examined, so none is spoken again and `quality` has no findings (default true). */
  readonly guard?: boolean | null;
  /**
   * How often a chunk that the guard finds bad is spoken again, as long as the job's time limit allows it (default 2, 0
   * … 10).
   */
  readonly max_retries?: number | null;
  /** `true`: bad chunks are spoken again also when `seed` is given; else only when it was drawn (default false). */
  readonly retry_seeded?: boolean | null;
  /** Columns that are searched for repetitions; 0 is off (default 7, 0 … 8192). */
  readonly ras_win_len?: number | null;
  /** Repetitions in them that trigger resampling; 0 is off (default 2, 0 … 8192). */
  readonly ras_win_max_num_repeat?: number | null;
  /** The same seed gives the same audio on the same build and device (0 … 9007199254740991). */
  readonly seed?: number | null;
  /**
   * The file's format; `opus` is Opus in Ogg, `pcm` 16-bit samples without a header, `ulaw` and `alaw` are G.711 for
   * telephones, without a header; see Formats (default "wav").
   */
  readonly output_format?: "wav" | "mp3" | "flac" | "opus" | "pcm" | "ulaw" | "alaw" | null;
  /** Samples per second of the file; `opus` has 8000, 16000, 24000 and 48000, `ulaw` and `alaw` have 8000. */
  readonly sample_rate?: 8000 | 16000 | 22050 | 24000 | 44100 | 48000 | null;
  /**
   * How fast the speech is, at the same pitch; the model speaks at its own pace and is sped up or slowed down
   * afterwards (default 1, 0.25 … 4).
   */
  readonly speed?: number | null;
  /** Integrated loudness of the file in LUFS, such as -16; `null` leaves it as it is; not with `stream` (-50 … -9). */
  readonly loudness?: number | null;
  /**
   * `auto`: `put_url` if it is given, S3 if a bucket or key is known, else `base64`; `file` is below `HIGGS_OUTPUT_DIR`
   * (default "auto").
   */
  readonly delivery?: "auto" | "s3" | "base64" | "file" | "put_url" | null;
  /** The bucket for the audio. */
  readonly s3_bucket?: string | null;
  /** The key in the bucket, or the path below `HIGGS_OUTPUT_DIR` (at most 1024 characters). */
  readonly s3_key?: string | null;
  /** A presigned address that the audio is sent to with one PUT, see S3.md (at most 8192 characters). */
  readonly put_url?: string | null;
  /** The text with its times, as `captions` of the output: SubRip or WebVTT; see Captions. */
  readonly captions?: "srt" | "vtt" | "none" | null;
  /** `true`: audio as stream items while it is generated, see Streaming (default false). */
  readonly stream?: boolean | null;
}

export interface RefAudioObject {
  readonly audio_base64?: string | null;
  readonly url?: string | null;
  readonly transcript?: string | null;
  readonly name?: string | null;
}

export interface PauseMsObject {
  readonly clause?: number | null;
  readonly sentence?: number | null;
  readonly paragraph?: number | null;
  readonly turn?: number | null;
}
