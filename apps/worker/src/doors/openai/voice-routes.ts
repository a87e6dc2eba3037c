import { stat } from "node:fs/promises";
import { HiggsError } from "@higgs-worker/base";
import { type ConsentStore, normalizeVoiceName, type Voice, type VoiceLibrary } from "@higgs-worker/higgs-audio";
import { audioExtensionOf } from "../../references/audio-extension.ts";
import { prepareClip } from "../../references/prepare-clip.ts";
import { findVoice } from "../../references/prepare-references.ts";
import type { DoorContext } from "../door-app.ts";
import type { DoorParts } from "../door-parts.ts";
import { readUpload, type Upload } from "../multipart.ts";

const MEBIBYTE = 1024 * 1024;
/** OpenAI's own limit for a sample, and the fields beside it. */
const MAX_SAMPLE_BYTES = 10 * MEBIBYTE;
const MAX_UPLOAD_BYTES = MAX_SAMPLE_BYTES + 256 * 1024;
const MAX_STATEMENT_CHARS = 2000;
const MAX_TRANSCRIPT_CHARS = 4000;

/** A voice as OpenAI's clients know it. */
interface VoiceObject {
  readonly id: string;
  readonly object: "audio.voice";
  readonly name: string;
  readonly type: "audio_sample";
  /** Seconds since the epoch. */
  readonly created_at: number;
}

/** @throws {HiggsError} VOICE_NOT_FOUND when the library has none of that name */
export async function showVoice(context: DoorContext, library: VoiceLibrary): Promise<Response> {
  return context.json(await voiceObject(await findVoice(idOf(context), "voice", library)));
}

/**
 * Adds the voice of an upload, after the same checks as `higgs voices add`.
 *
 * @throws {HiggsError} INVALID_INPUT without consent or with an unusable name, REFERENCE_INVALID for unusable audio
 */
export async function createVoice(
  context: DoorContext,
  { host, library }: DoorParts,
  consents: ConsentStore,
): Promise<Response> {
  return readUpload(context, { host, limitBytes: MAX_UPLOAD_BYTES }, async (upload) => {
    if (upload.text("type") === "prompt") {
      throw new HiggsError("NOT_SUPPORTED", "add the voice", "only voices from an audio sample can be added");
    }
    // Names of the library hold no blanks; those that OpenAI's clients give do.
    const name = normalizeVoiceName(upload.text("name") ?? "").replaceAll(/\s+/g, "-");
    const consent = await consentOf(upload, consents);
    const transcript = transcriptOf(upload);
    const { bytes } = await upload.file("audio_sample");
    if (bytes.length > MAX_SAMPLE_BYTES) {
      throw wrong("audio_sample", `is too large (got ${bytes.length} bytes, limit ${MAX_SAMPLE_BYTES})`);
    }
    const { signal } = context.req.raw;
    const clip = await prepareClip(bytes, { where: "audio_sample", transcript, signal });
    const voice = await library.add({
      name,
      audio: bytes,
      extension: audioExtensionOf(bytes),
      transcript,
      consent,
      language: textOf(upload, "language"),
      description: textOf(upload, "description") ?? textOf(upload, "speaker_description"),
    });
    const { durationSeconds, warnings } = clip;
    return context.json({ ...(await voiceObject(voice)), duration_seconds: durationSeconds, warnings });
  });
}

/** @throws {HiggsError} VOICE_NOT_FOUND, or INVALID_INPUT for a voice that comes with the software */
export async function deleteVoice(context: DoorContext, library: VoiceLibrary): Promise<Response> {
  const { name } = await findVoice(idOf(context), "voice", library);
  await library.remove(name);
  return context.json({ id: name, object: "audio.voice.deleted", deleted: true });
}

async function voiceObject({ name, audioPath }: Voice): Promise<VoiceObject> {
  const status = await stat(audioPath).catch(() => null);
  const createdSeconds = Math.floor((status?.mtimeMs ?? 0) / 1000);
  return { id: name, object: "audio.voice", name, type: "audio_sample", created_at: createdSeconds };
}

/** Who agreed: a consent that was recorded before, by its id, or a statement in words. */
async function consentOf(upload: Upload, consents: ConsentStore): Promise<string> {
  const given = (upload.text("consent") ?? "").trim();
  if (given === "" || given.length > MAX_STATEMENT_CHARS || /\p{Cc}/u.test(given)) {
    throw wrong(
      "consent",
      `must say who agreed to the cloning, or be a consent's id (limit ${MAX_STATEMENT_CHARS} characters)`,
    );
  }
  if (!given.startsWith("cons_")) return given;
  const consent = await consents.find(given);
  if (consent === null) throw wrong("consent", "is not the id of a consent; record one at /v1/audio/voice_consents");
  return `${consent.id} (${consent.name}, ${new Date(consent.createdAtMs).toISOString()})`;
}

function transcriptOf(upload: Upload): string | null {
  const transcript = textOf(upload, "transcript") ?? textOf(upload, "ref_text");
  if (transcript !== null && transcript.length > MAX_TRANSCRIPT_CHARS) {
    throw wrong("transcript", `is too long (got ${transcript.length} characters, limit ${MAX_TRANSCRIPT_CHARS})`);
  }
  return transcript;
}

function textOf(upload: Upload, name: string): string | null {
  const text = upload.text(name)?.trim() ?? "";
  return text === "" ? null : text;
}

export function idOf(context: DoorContext): string {
  return context.req.param("id") ?? "";
}

function wrong(field: string, why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "add the voice", `${field} ${why}`, { problems: [`${field} ${why}`] });
}
