import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { isHiggsError, isMissing, readRegularFile, volumeError, writeAtomically } from "@higgs-worker/base";
import { normalizeVoiceName, voiceNameProblem } from "./voice-name.ts";

/** Extensions that a voice's audio may have; what the file holds is decided by its content. */
export const VOICE_AUDIO_EXTENSIONS = [
  ".wav",
  ".flac",
  ".mp3",
  ".ogg",
  ".oga",
  ".opus",
  ".m4a",
  ".mp4",
  ".mov",
  ".aac",
  ".aif",
  ".aiff",
  ".caf",
  ".au",
  ".webm",
  ".mka",
] as const;

/** Largest audio file of a voice. */
export const MAX_VOICE_AUDIO_BYTES = 32 * 1024 * 1024;

/** Transcripts and metadata have a few hundred bytes; anything larger than this is something else. */
const MAX_TEXT_BYTES = 64 * 1024;

/** The folder's own file about its voices; it belongs to no single voice, not even to one called `voices`. */
const FOLDER_FILE = "voices.json";

/** What is known of a voice beside its audio and transcript; null where it is not stated. */
export interface VoiceMetadata {
  readonly language: string | null;
  readonly description: string | null;
  /** Where the audio comes from, or how it was made. */
  readonly source: string | null;
  readonly license: string | null;
  /** Who agreed to the voice being cloned, and how. */
  readonly consent: string | null;
}

/** A voice's files in one folder: the transcript is what makes the others a voice. */
export interface VoiceFiles {
  readonly name: string;
  readonly audioPath: string;
  readonly transcriptPath: string;
}

/**
 * The voices of a folder by name; none when the folder does not exist.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be read
 */
export async function scanVoices(directory: string): Promise<Map<string, VoiceFiles>> {
  const names = new Set(await listNames(directory));
  const voices = new Map<string, VoiceFiles>();
  for (const fileName of names) {
    const extension = extname(fileName);
    if (!isAudioExtension(extension)) continue;
    const stem = fileName.slice(0, -extension.length);
    const name = normalizeVoiceName(stem);
    if (!names.has(`${stem}.txt`) || voiceNameProblem(name) !== null || voices.has(name)) continue;
    voices.set(name, {
      name,
      audioPath: join(directory, fileName),
      transcriptPath: join(directory, `${stem}.txt`),
    });
  }
  return voices;
}

/**
 * Paths of all files with a name in a folder, whether or not they make a complete voice, for any case of the extension and any
 * Unicode form of the name. Transcripts come first: removing the transcript removes the voice for all readers.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when the folder cannot be read
 */
export async function pathsOfVoice(directory: string, name: string): Promise<string[]> {
  const kinds: readonly string[] = [".txt", ".json", ...VOICE_AUDIO_EXTENSIONS];
  const own = (await listNames(directory)).filter((fileName) => {
    const extension = extname(fileName);
    const stem = fileName.slice(0, fileName.length - extension.length);
    const isOfFolder = fileName.toLowerCase() === FOLDER_FILE;
    return !isOfFolder && kinds.includes(extension.toLowerCase()) && normalizeVoiceName(stem) === name;
  });
  const isTranscript = (fileName: string): number => Number(extname(fileName).toLowerCase() === ".txt");
  return own.sort((a, b) => isTranscript(b) - isTranscript(a)).map((fileName) => join(directory, fileName));
}

async function listNames(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw volumeError("list the voices", directory, error);
  }
}

export function isAudioExtension(extension: string): boolean {
  return (VOICE_AUDIO_EXTENSIONS as readonly string[]).includes(extension.toLowerCase());
}

/**
 * The bytes of a file; null when it is gone.
 *
 * @throws {HiggsError} REFERENCE_INVALID when it is too large or not a regular file
 * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be read
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer | null> {
  const options = { subject: "read the voice", missing: "VOICE_NOT_FOUND", refused: "REFERENCE_INVALID" } as const;
  try {
    return await readRegularFile(path, { ...options, maxBytes });
  } catch (error) {
    if (isHiggsError(error) && error.code === options.missing) return null;
    throw error;
  }
}

/** The transcript, stripped; null when the file is gone. */
export async function readTranscript(path: string): Promise<string | null> {
  const bytes = await readBounded(path, MAX_TEXT_BYTES);
  return bytes === null
    ? null
    : bytes
        .toString("utf8")
        .replace(/^\uFEFF/, "")
        .trim();
}

/** What a voice's own file or the folder's `voices.json` says about it; a file that is not JSON counts as empty. */
export async function readDescription(directory: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  const own = isNameOfFolder(name) ? null : await readJson(join(directory, `${name}.json`));
  if (own !== null) return own;
  // A broken folder file must not make each of its voices unusable.
  const entry = (await readJson(join(directory, FOLDER_FILE)).catch(() => null))?.[name];
  return isRecord(entry) ? entry : {};
}

/** The object in a JSON file; null when there is no such file, empty when it is not JSON. */
export async function readJson(path: string): Promise<Readonly<Record<string, unknown>> | null> {
  const bytes = await readBounded(path, MAX_TEXT_BYTES);
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

export function metadataOf(description: Readonly<Record<string, unknown>>): VoiceMetadata {
  const text = (field: string): string | null => {
    const value = description[field];
    return typeof value === "string" && value !== "" ? value : null;
  };
  return {
    language: text("language"),
    description: text("description"),
    source: text("source"),
    license: text("license") ?? text("licence"), // files of earlier versions have the other spelling
    consent: text("consent"),
  };
}

/**
 * Writes a file atomically: others see the old one or the new one, never a part.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be written; nothing is left behind
 */
export async function writeWhole(path: string, bytes: string | Uint8Array): Promise<void> {
  await writeAtomically(path, bytes).catch((error: unknown) => {
    throw volumeError("write the voice", path, error);
  });
}

/** Lower-case hex. */
export function sha256Of(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a voice's own JSON file would be that of the folder, at least on some file systems. */
export function isNameOfFolder(name: string): boolean {
  return `${name}.json`.toLowerCase() === FOLDER_FILE;
}
