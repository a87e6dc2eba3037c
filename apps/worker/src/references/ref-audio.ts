import { HiggsError } from "@higgs-worker/errors";
import { parseReferenceNames, refuseControlStrings } from "@higgs-worker/higgs-audio";
import { decodeBase64, decodeDataUri } from "./base64.ts";
import { refusedReference } from "./reference-errors.ts";

/** An entry of `ref_audio` that brings its own audio. */
export interface RefAudioClip {
  readonly audio_base64?: string | undefined;
  readonly url?: string | undefined;
  readonly transcript?: string | undefined;
  readonly name?: string | undefined;
}

/** The job field `ref_audio` (spec contract §3). */
export type RefAudio = string | RefAudioClip | readonly (string | RefAudioClip)[] | null;

/** Where one reference comes from; `where` is what messages call it. */
export type ReferenceSource =
  | { readonly kind: "profile"; readonly where: string; readonly name: string }
  | { readonly kind: "voice"; readonly where: string; readonly name: string }
  | (OwnAudio & { readonly kind: "url"; readonly url: string })
  | (OwnAudio & { readonly kind: "bytes"; readonly bytes: Uint8Array });

interface OwnAudio {
  readonly where: string;
  readonly name: string;
  /** What is said in the audio; null when nobody said. */
  readonly transcript: string | null;
}

export interface RefAudioLimits {
  readonly maxReferences: number;
  /** Of one audio file. */
  readonly maxBytes: number;
  readonly maxTranscriptChars: number;
}

/** What a clip without a name is called. */
const UNNAMED = "clip";

/** Anything that looks like an address; a voice's name has no colon. */
const ADDRESS = /^[a-z][a-z0-9+.-]*:/i;

/**
 * The references that `ref_audio` asks for, in order. A text is one address (`https:`, `data:`), or names with commas.
 *
 * @throws HiggsError INVALID_INPUT, REFERENCE_INVALID or REFERENCE_REFUSED for what cannot be a reference.
 */
export function parseRefAudio(refAudio: RefAudio, limits: RefAudioLimits): ReferenceSource[] {
  if (refAudio === null || refAudio === "") return [];
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
  if (!trimmed.startsWith("profile:") && ADDRESS.test(trimmed)) {
    return [parseAddress(trimmed, { where, name: UNNAMED, transcript: null }, limits)];
  }
  return parseReferenceNames(trimmed).map(({ kind, name }) => ({ kind, where, name: name.trim() }));
}

function parseAddress(address: string, audio: OwnAudio, limits: RefAudioLimits): ReferenceSource {
  if (/^data:/i.test(address)) {
    return { ...audio, kind: "bytes", bytes: decodeDataUri(address, audio.where, limits.maxBytes) };
  }
  // Which addresses may be read is decided where they are read; what is no web address is refused before anything is.
  if (!/^https?:/i.test(address)) throw refusedReference(audio.where, "only https and data addresses are read");
  return { ...audio, kind: "url", url: address };
}

function parseClip(clip: RefAudioClip, where: string, limits: RefAudioLimits): ReferenceSource {
  const { audio_base64: base64, url } = clip;
  const audio: OwnAudio = {
    where,
    name: clipName(clip, where),
    transcript: clipTranscript(clip, where, limits),
  };
  if ((base64 === undefined) === (url === undefined)) throw invalidInput("needs either audio_base64 or url", where);
  if (url !== undefined) return parseAddress(url.trim(), audio, limits);
  return { ...audio, kind: "bytes", bytes: decodeBase64(base64 ?? "", where, limits.maxBytes) };
}

/** A name only labels the result, so it may be any short line. */
function clipName({ name = "" }: RefAudioClip, where: string): string {
  if (Array.from(name).length > 64 || /\p{C}/u.test(name)) {
    throw invalidInput("is not usable (limit 64 characters of one line)", `${where}.name`);
  }
  return name.trim() === "" ? UNNAMED : name.trim();
}

function clipTranscript({ transcript = "" }: RefAudioClip, where: string, limits: RefAudioLimits): string | null {
  const field = `${where}.transcript`;
  const characters = transcript.length;
  if (characters > limits.maxTranscriptChars) {
    throw invalidInput(`is too long (got ${characters} characters, limit ${limits.maxTranscriptChars})`, field);
  }
  refuseControlStrings(transcript, { field });
  return transcript.trim() === "" ? null : transcript.trim();
}

function invalidInput(why: string, where = "ref_audio"): HiggsError {
  return new HiggsError("INVALID_INPUT", `Cannot read the job input: ${where} ${why}`);
}
