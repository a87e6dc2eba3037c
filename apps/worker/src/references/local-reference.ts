import { basename, extname, resolve } from "node:path";
import { HiggsError, readRegularFile } from "@higgs-worker/base";
import { MAX_VOICE_AUDIO_BYTES } from "@higgs-worker/higgs-audio";
import type { RefAudio } from "./ref-audio.ts";

export interface LocalReferenceOptions {
  /** What is said in the audio, for a file or an address. */
  readonly transcript: string | null;
  readonly workingDirectory: string;
}

/**
 * The job field for the command line's `--ref-audio`: files are read here, so that jobs never name files of the machine
 * they run on.
 *
 * @throws {HiggsError} INVALID_INPUT for an unreadable file, or a transcript without audio to transcribe
 */
export async function localRefAudio(text: string, options: LocalReferenceOptions): Promise<RefAudio> {
  const { transcript, workingDirectory } = options;
  const said = transcript === null ? {} : { transcript };
  if (isPath(text)) {
    const bytes = await readAudioFile(resolve(workingDirectory, text));
    return { audio_base64: bytes.toString("base64"), name: basename(text, extname(text)).slice(0, 64), ...said };
  }
  if (transcript === null) return text;
  if (/^(?:https?|data):/i.test(text)) return { url: text, transcript };
  throw new HiggsError("INVALID_INPUT", "use --ref-transcript", "voices in the library have their own transcript");
}

/**
 * An audio file that the user of the command line named.
 *
 * @throws {HiggsError} INVALID_INPUT
 */
export function readAudioFile(path: string): Promise<Buffer> {
  return readRegularFile(path, {
    subject: "read the audio file",
    missing: "INVALID_INPUT",
    refused: "INVALID_INPUT",
    failed: "INVALID_INPUT",
    maxBytes: MAX_VOICE_AUDIO_BYTES,
  });
}

/** A separator or an extension, but no scheme: voice names have neither. */
function isPath(text: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:/i.test(text) && (/[\\/]/.test(text) || /^[^,]+\.[a-z0-9]{2,4}$/i.test(text));
}
