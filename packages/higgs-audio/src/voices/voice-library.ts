import { rm } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { HiggsError, isHiggsError, makeFolders, removePartials, volumeError, withFileLock } from "@higgs-worker/base";
import {
  isAudioExtension,
  isNameOfFolder,
  MAX_VOICE_AUDIO_BYTES,
  metadataOf,
  pathsOfVoice,
  readBounded,
  readDescription,
  readTranscript,
  scanVoices,
  sha256Of,
  VOICE_AUDIO_EXTENSIONS,
  type VoiceFiles,
  type VoiceMetadata,
  writeWhole,
} from "./voice-files.ts";
import { normalizeVoiceName, voiceNameProblem } from "./voice-name.ts";

/** A folder of voices. */
export interface VoiceFolder {
  readonly path: string;
  /** `own` is written to; `bundled` comes with the software and is only read. */
  readonly origin: "own" | "bundled";
}

export interface Voice extends VoiceMetadata {
  readonly name: string;
  readonly origin: VoiceFolder["origin"];
  readonly audioPath: string;
  /** What is said in the audio; empty when nobody has said. */
  readonly transcript: string;
}

/** A voice whose files are there but cannot be used. */
export interface BrokenVoice {
  readonly name: string;
  /** Names the file. */
  readonly reason: string;
}

export interface VoiceListing {
  readonly voices: readonly Voice[];
  readonly broken: readonly BrokenVoice[];
}

/** A voice with the bytes of its audio file. */
export interface LoadedVoice extends Voice {
  readonly audio: Uint8Array;
}

export interface NewVoice extends Partial<VoiceMetadata> {
  readonly name: string;
  readonly audio: Uint8Array;
  /** With the dot, such as `.wav`. */
  readonly extension: string;
  /** What is said in the audio; null when it is not known, which makes a poorer voice. */
  readonly transcript: string | null;
}

const LOCK_NAME = ".voices.lock";

/** A voice may be replaced between the reads of its files; then they are read again. */
const READ_ATTEMPTS = 3;

/**
 * Voices as files that a person can look at: NAME.wav (or another format), NAME.txt (what is said) and NAME.json (what is
 * known). Folders are searched in order. Writers of one folder take turns by a lock file, across machines; a voice is there
 * from the moment that its transcript has its name, and its JSON holds the hash of its audio, so that readers never mix
 * two voices.
 */
export class VoiceLibrary {
  readonly #folders: readonly VoiceFolder[];

  constructor(folders: readonly VoiceFolder[]) {
    this.#folders = folders;
  }

  /**
   * Names of all voices, sorted.
   *
   * @throws {HiggsError} VOLUME_UNAVAILABLE when a folder cannot be read
   */
  async names(): Promise<string[]> {
    const found = await Promise.all(this.#folders.map(({ path }) => scanVoices(path)));
    return [...new Set(found.flatMap((voices) => [...voices.keys()]))].sort();
  }

  /**
   * All voices, sorted by name; the first folder that has a name wins. Those whose files cannot be used are listed apart, so
   * that one of them does not hide the others.
   *
   * @throws {HiggsError} VOLUME_UNAVAILABLE when a folder cannot be read
   */
  async list(): Promise<VoiceListing> {
    const voices: Voice[] = [];
    const broken: BrokenVoice[] = [];
    for (const name of await this.names()) {
      try {
        const voice = await this.find(name);
        if (voice !== null) voices.push(voice);
      } catch (error) {
        if (!isHiggsError(error)) throw error;
        broken.push({ name, reason: error.reason });
      }
    }
    return { voices, broken };
  }

  /**
   * The voice with a name; null when there is none, or when the name is not a valid one.
   *
   * @throws {HiggsError} REFERENCE_INVALID when its files are too large or not regular files
   * @throws {HiggsError} VOLUME_UNAVAILABLE when a folder cannot be read
   */
  async find(name: string): Promise<Voice | null> {
    const place = await this.#locate(name);
    if (place === null) return null;
    const transcript = await readTranscript(place.files.transcriptPath);
    return transcript === null ? null : describe(place, transcript, await descriptionOf(place.files));
  }

  /**
   * A voice with its audio, or null.
   *
   * @throws {HiggsError} REFERENCE_INVALID when its files do not belong together or are too large
   * @throws {HiggsError} VOLUME_UNAVAILABLE when a folder cannot be read
   */
  async load(name: string): Promise<LoadedVoice | null> {
    for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt++) {
      const place = await this.#locate(name);
      if (place === null) return null;
      const description = await descriptionOf(place.files);
      const transcript = await readTranscript(place.files.transcriptPath);
      const audio = await readBounded(place.files.audioPath, MAX_VOICE_AUDIO_BYTES);
      if (transcript === null || audio === null) continue;
      const expected = description["audio_sha256"];
      if (typeof expected !== "string" || expected === sha256Of(audio)) {
        return { ...describe(place, transcript, description), audio };
      }
    }
    throw new HiggsError(
      "REFERENCE_INVALID",
      "use the voice",
      "its audio is not the file that its JSON file was written for; remove it and add it again",
    );
  }

  /**
   * Adds a voice to the first own folder.
   *
   * @throws {HiggsError} INVALID_INPUT when the name is invalid or taken, the transcript is empty, or the extension or size is
   *   not allowed
   * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be written
   */
  async add(voice: NewVoice): Promise<Voice> {
    const name = checkNewVoice(voice);
    const folder = this.#ownFolder();
    await this.#exclusively(folder, async () => {
      const taken = [...(await scanVoices(folder)).keys()].find((other) => other.toLowerCase() === name.toLowerCase());
      if (taken !== undefined) throw invalid("a voice with that name exists already; remove it first");
      // Leftovers of killed writers; no other process writes while the lock is held.
      await removePartials(folder, () => true);
      await removeFiles(folder, name);
      await writeWhole(join(folder, `${name}${voice.extension.toLowerCase()}`), voice.audio);
      await writeWhole(join(folder, `${name}.json`), `${JSON.stringify(describeNew(voice), null, 2)}\n`);
      await writeWhole(join(folder, `${name}.txt`), `${voice.transcript?.trim() ?? ""}\n`);
    });
    const added = await this.find(name);
    if (added === null) throw new HiggsError("VOLUME_UNAVAILABLE", "add the voice", "it was removed meanwhile");
    return added;
  }

  /**
   * Removes an own voice; false when there is none with that name.
   *
   * @throws {HiggsError} INVALID_INPUT when the voice is bundled
   * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be removed
   */
  async remove(name: string): Promise<boolean> {
    const place = await this.#locate(name);
    if (place === null) return false;
    if (place.origin === "bundled") throw invalid("the voice comes with the software", "remove");
    await this.#exclusively(place.path, () => removeFiles(place.path, place.files.name));
    return true;
  }

  async #locate(name: string): Promise<VoicePlace | null> {
    const wanted = normalizeVoiceName(name);
    if (voiceNameProblem(wanted) !== null) return null;
    for (const folder of this.#folders) {
      const files = (await scanVoices(folder.path)).get(wanted);
      if (files !== undefined) return { ...folder, files };
    }
    return null;
  }

  #ownFolder(): string {
    const own = this.#folders.find(({ origin }) => origin === "own");
    if (own === undefined) throw invalid("no voices folder is set");
    return own.path;
  }

  async #exclusively<T>(folder: string, work: () => Promise<T>): Promise<T> {
    await makeFolders(folder).catch((error: unknown) => {
      throw volumeError("make the folder for voices", folder, error);
    });
    return withFileLock(join(folder, LOCK_NAME), { pollMs: 50 }, work);
  }
}

interface VoicePlace extends VoiceFolder {
  readonly files: VoiceFiles;
}

function descriptionOf({ audioPath }: VoiceFiles): Promise<Readonly<Record<string, unknown>>> {
  const stem = audioPath.slice(dirname(audioPath).length + 1, -extname(audioPath).length);
  return readDescription(dirname(audioPath), stem);
}

function describe(
  { origin, files }: VoicePlace,
  transcript: string,
  description: Readonly<Record<string, unknown>>,
): Voice {
  return { name: files.name, origin, audioPath: files.audioPath, transcript, ...metadataOf(description) };
}

function checkNewVoice(voice: NewVoice): string {
  const name = normalizeVoiceName(voice.name);
  const problem = voiceNameProblem(name);
  if (problem !== null) throw invalid(problem);
  if (isNameOfFolder(name)) throw invalid("the name is reserved for the folder's own file voices.json; choose another");
  if (voice.transcript?.trim() === "") throw invalid("the transcript is empty");
  if (!isAudioExtension(voice.extension)) {
    throw invalid(`the audio file must end in one of ${VOICE_AUDIO_EXTENSIONS.join(", ")}`);
  }
  const { byteLength } = voice.audio;
  if (byteLength === 0 || byteLength > MAX_VOICE_AUDIO_BYTES) {
    throw invalid(`the audio file is empty or too large (got ${byteLength} bytes, limit 1 … ${MAX_VOICE_AUDIO_BYTES})`);
  }
  return name;
}

function describeNew(voice: NewVoice): Readonly<Record<string, string | null>> {
  return { ...metadataOf({ ...voice }), audio_sha256: sha256Of(voice.audio) };
}

async function removeFiles(folder: string, name: string): Promise<void> {
  for (const path of await pathsOfVoice(folder, name)) {
    await rm(path, { force: true }).catch((error: unknown) => {
      throw volumeError("remove the voice", path, error);
    });
  }
}

function invalid(why: string, doing = "add"): HiggsError {
  return new HiggsError("INVALID_INPUT", `${doing} the voice`, why);
}
