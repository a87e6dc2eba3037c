import { HiggsError } from "@higgs-worker/base";
import { parseReferenceNames, refuseControlStrings } from "@higgs-worker/higgs-audio/requests";
import { describeUnknownField, kindOf } from "../names/describe-value.ts";
import { decodeBase64, decodeDataUri } from "./base64.ts";
import { refusedReference } from "./reference-errors.ts";

/** Most entries of `ref_audio`. */
export const MAX_REFERENCES = 16;

const CLIP_FIELDS = ["audio_base64", "url", "transcript", "name"] as const;

/** An entry of `ref_audio` that brings its own audio; a field that is null counts as left out. */
export type RefAudioClip = { readonly [Name in (typeof CLIP_FIELDS)[number]]?: string | null | undefined };

/** The job field `ref_audio` (spec contract §3). */
export type RefAudio = string | RefAudioClip | readonly (string | RefAudioClip)[] | null;

const CLIP_SCHEMA = {
  type: "object",
  properties: Object.fromEntries(CLIP_FIELDS.map((name) => [name, { type: ["string", "null"] }])),
  additionalProperties: false,
};

/** `RefAudio` as JSON Schema. */
export const REF_AUDIO_SCHEMA = {
  anyOf: [
    { type: "string" },
    CLIP_SCHEMA,
    { type: "array", items: { anyOf: [{ type: "string" }, CLIP_SCHEMA] }, maxItems: MAX_REFERENCES },
  ],
};

/**
 * The job field's value if its form is valid, else undefined. Problems are reported as the rest of a sentence that begins
 * with the field's name, with the path within the field.
 */
export function readRefAudio(
  value: unknown,
  report: (problem: string | (() => string), path?: string) => void,
): RefAudio | undefined {
  if (!Array.isArray(value)) return readEntry(value, report, "");
  if (value.length > MAX_REFERENCES) {
    report(`has too many entries (got ${value.length}, limit ${MAX_REFERENCES})`);
    return undefined;
  }
  const entries = value.map((entry, index) => {
    if (typeof entry === "string" && entry.trim() === "") report("is empty", `[${index}]`);
    return readEntry(entry, report, `[${index}]`);
  });
  return entries.filter((entry) => entry !== undefined);
}

function readEntry(
  value: unknown,
  report: (problem: string | (() => string), path?: string) => void,
  path: string,
): string | RefAudioClip | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    report(
      `must be a voice's name, a list of names, or objects with audio_base64 or url, and transcript (got ${kindOf(value)})`,
      path,
    );
    return undefined;
  }
  const clip: Partial<Record<string, string>> = {};
  for (const name of Object.keys(value)) {
    const part = (value as Readonly<Record<string, unknown>>)[name];
    if (!(CLIP_FIELDS as readonly string[]).includes(name)) {
      report(() => `has an ${describeUnknownField(name, CLIP_FIELDS)}`, path);
    } else if (typeof part === "string") {
      clip[name] = part;
    } else if (part !== null && part !== undefined) {
      report(`must be a string (got ${kindOf(part)})`, `${path}.${name}`);
    }
  }
  return clip;
}

/** Where one reference comes from; `where` is its name in messages. */
export type ReferenceSource =
  | { readonly kind: "profile"; readonly where: string; readonly name: string }
  | { readonly kind: "voice"; readonly where: string; readonly name: string }
  | (OwnAudio & { readonly kind: "url"; readonly url: string })
  | (OwnAudio & { readonly kind: "bytes"; readonly bytes: Uint8Array });

interface OwnAudio {
  readonly where: string;
  readonly name: string;
  /** What is said in the audio; null when not given. */
  readonly transcript: string | null;
}

export interface RefAudioLimits {
  readonly maxReferences: number;
  /** Of one audio file. */
  readonly maxBytes: number;
  readonly maxTranscriptChars: number;
}

/** The names of the references in their order, as speakers are numbered; null for one without. Nothing is checked here. */
export function referenceNames(refAudio: RefAudio): (string | null)[] {
  if (refAudio === null || (typeof refAudio === "string" && refAudio.trim() === "")) return [];
  const entries = Array.isArray(refAudio) ? (refAudio as readonly (string | RefAudioClip)[]) : [refAudio];
  return entries.flatMap((entry: string | RefAudioClip) => {
    if (typeof entry !== "string") return [entry.name?.trim() || null];
    const isAddress = !entry.trim().startsWith("profile:") && ADDRESS.test(entry.trim());
    return isAddress ? [null] : parseReferenceNames(entry.trim()).map(({ name }) => name.trim());
  });
}

/** The name of a clip without one. */
const UNNAMED = "clip";

/** Anything that looks like a URL; voice names have no colon. */
const ADDRESS = /^[a-z][a-z0-9+.-]*:/i;

/**
 * The references that `ref_audio` asks for, in order. A text is one address (`https:`, `data:`), or names with commas.
 *
 * @throws {HiggsError} INVALID_INPUT, REFERENCE_INVALID or REFERENCE_REFUSED when an entry cannot be a reference
 */
export function parseRefAudio(refAudio: RefAudio, limits: RefAudioLimits): ReferenceSource[] {
  if (refAudio === null || (typeof refAudio === "string" && refAudio.trim() === "")) return [];
  const isList = Array.isArray(refAudio);
  const entries: readonly (string | RefAudioClip)[] = isList ? refAudio : [refAudio as string | RefAudioClip];
  const sources = entries.flatMap((entry, index) => {
    const where = isList ? `ref_audio[${index}]` : "ref_audio";
    return typeof entry === "string" ? parseText(entry, where, limits) : [parseClip(entry, where, limits)];
  });
  if (sources.length > limits.maxReferences) {
    throw invalidInput(`has too many entries (got ${sources.length}, limit ${limits.maxReferences})`);
  }
  return sources;
}

function parseText(text: string, where: string, limits: RefAudioLimits): ReferenceSource[] {
  const trimmed = text.trim();
  if (/^["'`][a-z]+:/i.test(trimmed)) throw invalidInput("is in quotation marks; send the URL without them", where);
  if (!trimmed.startsWith("profile:") && ADDRESS.test(trimmed)) {
    return [parseAddress(trimmed, { where, name: UNNAMED, transcript: null }, limits)];
  }
  const names = trimmed.split(",", limits.maxReferences + 1);
  if (names.length > limits.maxReferences)
    throw invalidInput(`has too many names (limit ${limits.maxReferences})`, where);
  return parseReferenceNames(trimmed).map(({ kind, name }) => ({ kind, where, name: name.trim() }));
}

function parseAddress(address: string, audio: OwnAudio, limits: RefAudioLimits): ReferenceSource {
  if (/^data:/i.test(address)) {
    return { ...audio, kind: "bytes", bytes: decodeDataUri(address, audio.where, limits.maxBytes) };
  }
  // Which URLs may be read is decided when they are fetched; other schemes are refused before anything is read.
  if (!/^https?:/i.test(address)) throw refusedReference(audio.where, "only https: and data: URLs are allowed");
  return { ...audio, kind: "url", url: address };
}

function parseClip(clip: RefAudioClip, where: string, limits: RefAudioLimits): ReferenceSource {
  const audio: OwnAudio = {
    where,
    name: clipName(clip.name ?? "", where),
    transcript: clipTranscript(clip.transcript ?? "", where, limits),
  };
  const base64 = clip.audio_base64 ?? "";
  const url = (clip.url ?? "").trim();
  if (url !== "" && base64 === "") return parseAddress(url, audio, limits);
  if (url !== "" || typeof clip.audio_base64 !== "string") {
    throw invalidInput(`needs either audio_base64 or url${url === "" ? "" : ", not both"}`, where);
  }
  return { ...audio, kind: "bytes", bytes: decodeBase64(base64, where, limits.maxBytes) };
}

/** A name only labels the result, so any short line is fine. */
function clipName(name: string, where: string): string {
  if (name.length > 128 || Array.from(name).length > 64 || /\p{C}/u.test(name)) {
    throw invalidInput("is not valid (limit 64 characters on one line)", `${where}.name`);
  }
  return name.trim() === "" ? UNNAMED : name.trim();
}

function clipTranscript(transcript: string, where: string, limits: RefAudioLimits): string | null {
  const field = `${where}.transcript`;
  const characters = transcript.length;
  if (characters > limits.maxTranscriptChars) {
    throw invalidInput(`is too long (got ${characters} characters, limit ${limits.maxTranscriptChars})`, field);
  }
  refuseControlStrings(transcript, { field });
  return transcript.trim() === "" ? null : transcript.trim();
}

function invalidInput(why: string, where = "ref_audio"): HiggsError {
  return new HiggsError("INVALID_INPUT", "read the job input", `${where} ${why}`);
}
