import { AUDIO_FORMATS } from "@higgs-worker/audio";
import * as v from "valibot";
import { suggestion } from "../names/nearest-name.ts";

/** Ways to deliver the audio (spec contract §3). */
const DELIVERIES = ["auto", "s3", "base64", "file", "put_url"] as const;

/** Longest literal scene, in characters; the presets have about forty. */
export const MAX_SCENE_CHARS = 2_000;

/** Numbers that are counts of something have to end somewhere. */
const MAX_COUNT = 100_000;

const TRUTH = v.boolean((issue) => `must be true or false (got ${issue.received})`);
const TEXT = v.string((issue) => `must be a string (got ${kindOf(issue.input)})`);

/** An entry of `ref_audio` that brings its own audio. */
const CLIP = v.strictObject(
  {
    audio_base64: v.optional(TEXT),
    url: v.optional(TEXT),
    transcript: v.optional(TEXT),
    name: v.optional(TEXT),
  },
  (issue) =>
    issue.expected === "never" ? "is no field of a reference" : `must be an object (got ${kindOf(issue.input)})`,
);

const REFERENCES = v.union(
  [TEXT, CLIP, v.pipe(v.array(v.union([TEXT, CLIP])), v.maxLength(16, "has too many entries (limit 16)"))],
  "must be a voice's name, a list of names, or objects with audio_base64 or url, and transcript",
);

/** Fields of the job input with their checks; the texts of both checks complete a sentence that begins with the name. */
export function inputEntries(limits: { readonly contextLength: number }) {
  return {
    transcript: TEXT,
    ref_audio: v.optional(v.nullable(REFERENCES), null),
    ref_audio_in_system_message: v.optional(TRUTH, false),
    scene_prompt: v.optional(TEXT, "quiet_indoor"),
    normalize: v.optional(TRUTH, true),
    temperature: v.optional(number(0, 2), 1),
    top_k: v.optional(integer(0, 1026), 50),
    top_p: v.optional(share(), 0.95),
    max_new_tokens: v.optional(integer(16, limits.contextLength), Math.min(2048, limits.contextLength)),
    chunk_method: v.optional(v.nullable(chunkMethod()), null),
    chunk_max_word_num: v.optional(integer(1, MAX_COUNT), 200),
    chunk_max_num_turns: v.optional(integer(1, MAX_COUNT), 1),
    generation_chunk_buffer_size: v.optional(v.nullable(integer(0, MAX_COUNT)), null),
    ras_win_len: v.optional(integer(0, limits.contextLength), 7),
    ras_win_max_num_repeat: v.optional(integer(0, limits.contextLength), 2),
    seed: v.optional(v.nullable(integer(0, Number.MAX_SAFE_INTEGER)), null),
    s3_bucket: v.optional(v.nullable(bucketName()), null),
    s3_key: v.optional(v.nullable(TEXT), null),
    output_format: v.optional(choice(AUDIO_FORMATS), "wav"),
    delivery: v.optional(choice(DELIVERIES), "auto"),
    put_url: v.optional(v.nullable(TEXT), null),
    stream: v.optional(TRUTH, false),
  };
}

function number(min: number, max: number) {
  return v.pipe(
    v.number((issue) => `must be a number (got ${kindOf(issue.input)})`),
    v.check(
      (value) => value >= min && value <= max,
      (issue) => `is out of range (got ${issue.input}, limit ${min} … ${max})`,
    ),
  );
}

function integer(min: number, max: number) {
  return v.pipe(
    v.number((issue) => `must be a whole number (got ${kindOf(issue.input)})`),
    v.check(
      (value) => Number.isInteger(value),
      (issue) => `must be a whole number (got ${issue.input})`,
    ),
    v.check(
      (value) => !Number.isInteger(value) || (value >= min && value <= max),
      (issue) => `is out of range (got ${issue.input}, limit ${min} … ${max})`,
    ),
  );
}

function share() {
  return v.pipe(
    v.number((issue) => `must be a number (got ${kindOf(issue.input)})`),
    v.check(
      (value) => value > 0 && value <= 1,
      (issue) => `is out of range (got ${issue.input}, limit above 0 … 1)`,
    ),
  );
}

function choice<const T extends readonly string[]>(words: T) {
  return v.picklist(
    words,
    (issue) => `must be one of ${words.join(", ")} (got ${shown(issue.input)})${near(issue.input, words)}`,
  );
}

/** `"none"` and `"None"` are what Python programs send for no chunking. */
function chunkMethod() {
  const words = ["speaker", "word", "none", "None"] as const;
  return v.pipe(
    v.picklist(
      words,
      (issue) => `must be "speaker", "word" or null (got ${shown(issue.input)})${near(issue.input, words)}`,
    ),
    v.transform((word): "speaker" | "word" | null => (word === "speaker" || word === "word" ? word : null)),
  );
}

function bucketName() {
  return v.pipe(
    TEXT,
    v.regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/,
      "is no bucket name (limit 2 … 255 letters, digits, dots, dashes and underscores)",
    ),
  );
}

/** Kind of a JSON value; numbers that JSON does not have are named. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : typeof value;
}

/** A short word as it is; anything else only by its kind, since it may be the user's text. */
export function shown(value: unknown): string {
  return typeof value === "string" && /^[\w.:-]{1,32}$/.test(value) ? JSON.stringify(value) : kindOf(value);
}

function near(value: unknown, words: readonly string[]): string {
  return typeof value === "string" ? suggestion(value, words) : "";
}
