import { createHash } from "node:crypto";
import { HiggsError } from "@higgs-worker/base";
import {
  findProfile,
  type Reference,
  type ReferenceClip,
  type Voice,
  type VoiceLibrary,
} from "@higgs-worker/higgs-audio";
import { AUDIO_SHAPE, refuseControlStrings } from "@higgs-worker/higgs-audio/requests";
import { suggestion } from "../names/nearest-name.ts";
import type { ClipCache } from "./clip-cache.ts";
import { fetchReference, type FetchLimits, type FetchReferenceOptions } from "./fetch-reference.ts";
import { checkAudioStart, prepareClip, type PreparedAudio } from "./prepare-clip.ts";
import { MAX_REFERENCES, parseRefAudio, type RefAudio, type ReferenceSource } from "./ref-audio.ts";
import { invalidReference } from "./reference-errors.ts";

/** Limits for one job's references. */
export interface ReferenceLimits extends FetchLimits {
  readonly maxReferences: number;
  readonly maxTranscriptChars: number;
}

export const REFERENCE_LIMITS: ReferenceLimits = {
  maxReferences: MAX_REFERENCES,
  maxBytes: 32 * 1024 * 1024,
  timeoutMs: 20_000,
  maxRedirects: 3,
  maxTranscriptChars: 4_000,
};

export interface ReferenceServices {
  readonly voices: VoiceLibrary;
  /** Clips decoded earlier. */
  readonly clips: ClipCache;
  /** Positions of the model; clips that cannot fit are refused before they are encoded. */
  readonly contextLength: number;
  readonly limits?: ReferenceLimits;
  /** The proxies; the rest is for tests and the command line. */
  readonly fetch?: Pick<FetchReferenceOptions, "allowLoopback" | "resolve" | "proxies">;
}

export interface PreparedReferences {
  readonly references: readonly Reference[];
  readonly warnings: readonly string[];
  /** The output's `voice_clone`; null without references. */
  readonly voiceClone: string | null;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  /** Transcripts are used in turns only (spec model §5.3). */
  readonly inSystemMessage: boolean;
}

/**
 * Finds, reads, decodes and examines a job's references, so that bad ones are refused before the model is used. Names are
 * looked up before anything is read.
 *
 * @throws {HiggsError} INVALID_INPUT, VOICE_NOT_FOUND, REFERENCE_INVALID or REFERENCE_REFUSED when one is refused
 * @throws {HiggsError} VOLUME_UNAVAILABLE when the voice library cannot be read
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function prepareReferences(
  refAudio: RefAudio,
  services: ReferenceServices,
  options: PrepareOptions,
): Promise<PreparedReferences> {
  const sources = parseRefAudio(refAudio, services.limits ?? REFERENCE_LIMITS);
  for (const source of sources) await checkName(source, services.voices);
  // A described voice puts all of them into the system message (spec model §5.3).
  const needTranscripts = !options.inSystemMessage && sources.every(({ kind }) => kind !== "profile");
  const references: Reference[] = [];
  const warnings: string[] = [];
  let positions = 0;
  for (const source of sources) {
    if (source.kind === "profile") {
      references.push(findProfile(source.name));
      continue;
    }
    const { name, audio, clip } = await prepareSource(source, services, options);
    positions += Math.ceil(audio.pcm.length / AUDIO_SHAPE.samplesPerFrame) + AUDIO_SHAPE.columnsBesideFrames;
    checkContext(positions, source.where, services.contextLength);
    references.push(clip);
    warnings.push(...audio.warnings.map((warning) => `${source.where} (${name}): ${warning}`));
    if (clip.transcript === "" && needTranscripts) warnings.push(missingTranscript(source.where));
  }
  return { references, warnings, voiceClone: sources.length === 0 ? null : sources.map(labelOf).join(",") };
}

/** @throws {HiggsError} VOICE_NOT_FOUND when no voice has the name */
export async function findVoice(name: string, where: string, voices: VoiceLibrary): Promise<Voice> {
  const voice = await voices.find(name);
  if (voice !== null) return voice;
  // The message leaves out the name: it may be anything.
  const known = await voices.names();
  const meant = suggestion(name, known) || (known.length === 0 ? "" : ` (known: ${known.slice(0, 20).join(", ")})`);
  throw new HiggsError("VOICE_NOT_FOUND", `use ${where}`, `no voice has this name${meant}`);
}

async function checkName(source: ReferenceSource, voices: VoiceLibrary): Promise<void> {
  if (source.kind === "profile") findProfile(source.name);
  if (source.kind === "voice") await findVoice(source.name, source.where, voices);
}

type ClipSource = Exclude<ReferenceSource, { kind: "profile" }>;

async function prepareSource(
  source: ClipSource,
  services: ReferenceServices,
  options: PrepareOptions,
): Promise<{ name: string; audio: PreparedAudio; clip: ReferenceClip }> {
  const { name, bytes, transcript } = await readSource(source, services, options);
  const { signal } = options;
  const hash = createHash("sha256").update(JSON.stringify(transcript)).update(bytes).digest("hex");
  const audio =
    services.clips.get(hash) ??
    services.clips.keep(hash, await prepareClip(bytes, { where: source.where, transcript, signal }));
  const clip = { kind: "clip", transcript: transcript ?? "", samples: audio.pcm, hash: audio.hash } as const;
  return { name, audio, clip };
}

interface ReadSource {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly transcript: string | null;
}

async function readSource(
  source: ClipSource,
  services: ReferenceServices,
  options: PrepareOptions,
): Promise<ReadSource> {
  const { where } = source;
  if (source.kind === "bytes") return source;
  if (source.kind === "url") {
    const { limits = REFERENCE_LIMITS } = services;
    const checkStart = (start: Uint8Array): void => checkAudioStart(start, where);
    const { signal } = options;
    const bytes = await fetchReference(source.url, { ...services.fetch, where, limits, checkStart, signal });
    return { ...source, bytes };
  }
  const voice = await services.voices.load(source.name);
  if (voice === null) throw invalidReference(where, "the voice has been removed");
  refuseControlStrings(voice.transcript, { field: `the transcript of the voice in ${where}` });
  return { name: voice.name, bytes: voice.audio, transcript: voice.transcript === "" ? null : voice.transcript };
}

function checkContext(positions: number, where: string, contextLength: number): void {
  if (positions < contextLength) return;
  const sizes = `got ${positions} positions, limit ${contextLength - 1}`;
  throw invalidReference(where, `the references do not fit the model's context (${sizes})`);
}

function missingTranscript(where: string): string {
  return `${where} has no transcript; the voice is better with the words that are said in the audio`;
}

function labelOf({ kind, name }: ReferenceSource): string {
  return kind === "profile" ? `profile:${name}` : name;
}
