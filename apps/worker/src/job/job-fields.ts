import { AUDIO_SHAPE, DEFAULT_PAUSES_MS, MAX_PAUSE_MS, PAUSE_KINDS } from "@higgs-worker/higgs-audio/requests";
import { AUDIO_FORMATS, MAX_SPEED, MIN_SPEED, SAMPLE_RATES_HZ } from "@higgs-worker/audio";
import { readRefAudio, REF_AUDIO_SCHEMA, type RefAudio } from "../references/ref-audio.ts";
import { keyProblem, MAX_KEY_BYTES, MAX_SEGMENT_BYTES } from "../storage/object-key.ts";
import {
  choice,
  field,
  integer,
  number,
  optionalChoice,
  optionalInteger,
  optionalNumber,
  optionalNumberChoice,
  optionalNumbers,
  optionalText,
  optionalTruth,
  requiredText,
  text,
  truth,
  type FieldValue,
  type JobField,
} from "./job-field.ts";
import { QUALITY_FIELDS } from "./quality-fields.ts";
import { controlProblems, LANGUAGE_PROBLEM, languageProblems, transcriptProblems } from "./text-problems.ts";

/** Longest literal scene in characters; the presets have about forty. */
const MAX_SCENE_CHARS = 2_000;

/** Longest address for the audio; those with session tokens have about 2000 characters. */
const MAX_PUT_URL_CHARS = 8_192;

/** Longest language tag: those in use have a fraction of it. */
const MAX_LANGUAGE_CHARS = 64;

/** Upper limit for counts. */
const MAX_COUNT = 100_000;

const TEXT_FIELDS = {
  transcript: requiredText({
    maxChars: "maxTranscriptChars",
    problemsOf: transcriptProblems,
    meaning:
      "what is said; `[SPEAKERn]` tags for dialogue; at least one letter or digit besides them; strings of the form `<|…|>` are refused",
  }),
  ref_audio: field<RefAudio>(
    {
      meaning: "whose voice; see [References](#references) and [VOICES.md](VOICES.md)",
      placeholder: "<voice>",
      help: "voices, profile:NAME, a URL, or an audio file",
    },
    {
      kind: "references",
      allowed: "names with commas or as a list, `profile:NAME`, an `https://` or `data:` URL, or clips",
      defaultText: "none",
      defaultFor: () => null,
      read: (value, report) => readRefAudio(value, report),
      jsonSchema: () => REF_AUDIO_SCHEMA,
    },
  ),
};

/** Repeated in the output's `generation_parameters`, besides the format and the delivery. */
const GENERATION_FIELDS = {
  ref_audio_in_system_message: truth({
    defaultValue: false,
    meaning: "describe the voices in the system message instead of as earlier turns; profiles are always described",
    help: "describe the voices in the system message instead of as earlier turns",
  }),
  scene_prompt: text({
    defaultValue: "quiet_indoor",
    maxChars: MAX_SCENE_CHARS,
    problemsOf: controlProblems,
    meaning: "a preset's name, `empty` for none, or a description of the scene",
    placeholder: "<scene>",
  }),
  normalize: truth({
    defaultValue: true,
    meaning: "`false` speaks the text exactly as written",
    help: "speak the text exactly as written",
  }),
  text_format: choice({
    choices: ["plain", "markdown", "html", "ssml", "raw"],
    defaultValue: "plain",
    meaning:
      "what the text is written in; `raw` is plain text that is left to the model's own rules; see [Text formats](SPEECH.md#text-formats)",
    placeholder: "<format>",
    help: "what the text is written in: plain, markdown, html, ssml, raw",
  }),
  code: choice({
    choices: ["skip", "spell"],
    defaultValue: "skip",
    meaning:
      "`skip` leaves blocks of code out, `spell` speaks all code character by character; for `markdown` and `html`",
    placeholder: "<how>",
  }),
  emoji: choice({
    choices: ["silent", "name"],
    defaultValue: "silent",
    meaning: "`silent` leaves emoji out, `name` speaks their English names; not with `raw`",
    placeholder: "<how>",
  }),
  spell_out: truth({
    defaultValue: false,
    meaning:
      "`true` says numbers, dates, times, money, units, telephone numbers and addresses in the words of the text's language, see [SPEECH.md](SPEECH.md#numbers-in-words)",
    help: "say numbers, dates, money, units and addresses in words",
  }),
  language: optionalText({
    defaultText: "detected",
    allowed: "a BCP 47 tag such as `de` or `en-GB`",
    maxChars: MAX_LANGUAGE_CHARS,
    pattern: /^(?:[A-Za-z]{2,3}|[A-Za-z]{5,8})(?:-[A-Za-z0-9]{1,8})*$/,
    patternProblem: LANGUAGE_PROBLEM,
    problemsOf: languageProblems,
    meaning: "the language of the text, for `spell_out`; its region decides orders such as day before month",
    placeholder: "<tag>",
    help: "the language of the text, such as de or en-GB",
  }),
  temperature: number({
    min: 0,
    max: 2,
    defaultValue: 1,
    meaning: "sampling temperature; 0 is greedy",
    placeholder: "<t>",
  }),
  top_k: integer({
    min: 0,
    max: AUDIO_SHAPE.idsPerCodebook,
    defaultValue: 50,
    meaning: "sample from this many of the most likely codes; 0 is off",
    placeholder: "<k>",
  }),
  top_p: number({
    min: 0,
    isMinExcluded: true,
    max: 1,
    defaultValue: 0.95,
    meaning: "sample from the most likely codes with this total probability; 1 is off",
    placeholder: "<p>",
  }),
  min_p: number({
    min: 0,
    max: 1,
    isMaxExcluded: true,
    defaultValue: 0,
    meaning: "drop codes less likely than this share of the most likely one's probability; 0 is off",
    placeholder: "<p>",
  }),
  max_new_tokens: integer({
    min: 16,
    max: "contextLength",
    defaultValue: 2048,
    meaning: "maximum audio frames per chunk, 25 per second",
    placeholder: "<n>",
  }),
  chunk_method: optionalChoice({
    choices: ["none", "word", "speaker", "sentence"],
    // Python programs send this for null.
    nullWords: ["auto", "None"],
    choicesText: '"auto", "none", "word", "speaker", "sentence" or null',
    meaning:
      "how the text is split into chunks, see [SPEECH.md](SPEECH.md). Automatic (`null`, `auto`, and `None` as Python writes it): one chunk while the text surely fits `max_new_tokens`, else `sentence`. `none`, `word` and `speaker` are the reference's methods",
    help: "how the text is split into chunks; automatic by default",
    placeholder: "<method>",
  }),
  chunk_max_word_num: integer({
    min: 1,
    max: MAX_COUNT,
    defaultValue: 200,
    meaning: "words per chunk, for `word`",
    placeholder: "<n>",
  }),
  chunk_max_num_turns: integer({
    min: 1,
    max: MAX_COUNT,
    defaultValue: 1,
    meaning: "speaker turns per chunk, for `speaker`",
    placeholder: "<n>",
  }),
  generation_chunk_buffer_size: optionalInteger({
    min: 0,
    max: MAX_COUNT,
    meaning: "chunks whose audio stays in the prompt; 0 and `null` keep all",
    placeholder: "<n>",
  }),
  trim: optionalTruth({
    meaning:
      "cut silence and noise around the speech of each chunk, see [SPEECH.md](SPEECH.md#trimming); `null` is `true`, but `false` with the `chunk_method`s of the reference",
    help: "leave silence and noise around the speech",
  }),
  pause_ms: optionalNumbers({
    names: PAUSE_KINDS,
    min: 0,
    max: MAX_PAUSE_MS,
    defaultText: PAUSE_KINDS.map((kind) => `${kind} ${DEFAULT_PAUSES_MS[kind]}`).join(", "),
    meaning:
      "silence in milliseconds between the speech of two chunks, by what the first of them ends with, see [SPEECH.md](SPEECH.md#pauses); the defaults are 0 with the `chunk_method`s of the reference",
    placeholder: "<kind=ms,…>",
    help: "silence between chunks, such as sentence=500,paragraph=900",
  }),
  lookahead_frames: optionalInteger({
    min: 0,
    max: "contextLength",
    meaning:
      "with `stream`: frames, 25 per second, that a chunk must be ahead of the audio that is sent, so that bad speech can be taken back; `null` costs no time, see [SPEECH.md](SPEECH.md#lookahead)",
    placeholder: "<n>",
  }),
  ...QUALITY_FIELDS,
  ras_win_len: integer({
    min: 0,
    max: "contextLength",
    defaultValue: 7,
    meaning: "columns that are searched for repetitions; 0 is off",
    placeholder: "<n>",
  }),
  ras_win_max_num_repeat: integer({
    min: 0,
    max: "contextLength",
    defaultValue: 2,
    meaning: "repetitions in them that trigger resampling; 0 is off",
    placeholder: "<n>",
  }),
  seed: optionalInteger({
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    allowed: "0 … 2^53 − 1",
    defaultText: "drawn",
    meaning: "the same seed gives the same audio on the same build and device",
    placeholder: "<n>",
  }),
  output_format: choice({
    choices: AUDIO_FORMATS,
    defaultValue: "wav",
    placeholder: "<format>",
    meaning:
      "the file's format; `opus` is Opus in Ogg, `pcm` 16-bit samples without a header, `ulaw` and `alaw` are G.711 for telephones, without a header; see [Formats](#formats)",
    help: "the file's format",
  }),
  sample_rate: optionalNumberChoice({
    choices: SAMPLE_RATES_HZ,
    defaultText: "24000, telephony 8000",
    meaning: "samples per second of the file; `opus` has 8000, 16000, 24000 and 48000, `ulaw` and `alaw` have 8000",
    placeholder: "<hz>",
  }),
  speed: number({
    min: MIN_SPEED,
    max: MAX_SPEED,
    defaultValue: 1,
    meaning:
      "how fast the speech is, at the same pitch; the model speaks at its own pace and is sped up or slowed down afterwards",
    help: "how fast the speech is, at the same pitch (0.25 … 4)",
    placeholder: "<x>",
  }),
  loudness: optionalNumber({
    min: -50,
    max: -9,
    meaning: "integrated loudness of the file in LUFS, such as -16; `null` leaves it as it is; not with `stream`",
    placeholder: "<lufs>",
  }),
  delivery: choice({
    choices: ["auto", "s3", "base64", "file", "put_url"],
    defaultValue: "auto",
    meaning:
      "`auto`: `put_url` if it is given, S3 if a bucket or key is known, else `base64`; `file` is below `HIGGS_OUTPUT_DIR`",
  }),
};

const DELIVERY_FIELDS = {
  s3_bucket: optionalText({
    defaultText: "`S3_BUCKET`",
    allowed: "a bucket's name",
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/,
    patternProblem: "is not a bucket name (limit 2 … 255 letters, digits, dots, dashes and underscores)",
    meaning: "the bucket for the audio",
  }),
  s3_key: optionalText({
    defaultText: "`S3_KEY_TEMPLATE`",
    maxChars: MAX_KEY_BYTES,
    allowed: `text, up to ${MAX_KEY_BYTES} bytes, up to ${MAX_SEGMENT_BYTES} of them between two slashes`,
    problemsOf: (key) => [keyProblem(key)].filter((problem) => problem !== null),
    meaning: "the key in the bucket, or the path below `HIGGS_OUTPUT_DIR`",
  }),
  put_url: optionalText({
    allowed: "an https:// address",
    maxChars: MAX_PUT_URL_CHARS,
    meaning: "a presigned address that the audio is sent to with one PUT, see [S3.md](S3.md#put_url)",
    placeholder: "<url>",
    help: "a presigned address that the audio is sent to",
  }),
  captions: optionalChoice({
    choices: ["srt", "vtt"],
    nullWords: ["none"],
    meaning: "the text with its times, as `captions` of the output: SubRip or WebVTT; see [Captions](#captions)",
  }),
  stream: truth({
    defaultValue: false,
    meaning: "`true`: audio as stream items while it is generated, see [Streaming](#streaming)",
  }),
};

/**
 * Every field of the job input, in the order of the documents (spec contract §3). Checks, the type of the input, the flags of
 * `higgs speak`, the output's `generation_parameters`, the table in docs/JOB.md and the API description come from here.
 */
export const JOB_FIELDS = { ...TEXT_FIELDS, ...GENERATION_FIELDS, ...DELIVERY_FIELDS } as const;

export type JobFieldName = keyof typeof JOB_FIELDS;

export type GenerationFieldName = keyof typeof GENERATION_FIELDS;

/** The job input, complete, with every default filled in. */
export type JobInput = { readonly [Name in JobFieldName]: FieldValue<(typeof JOB_FIELDS)[Name]> };

export const GENERATION_FIELD_NAMES = Object.keys(GENERATION_FIELDS) as readonly GenerationFieldName[];

/** All fields with their names, in order. */
export const JOB_FIELD_ENTRIES = Object.entries(JOB_FIELDS) as readonly (readonly [JobFieldName, JobField<unknown>])[];
