import { randomBytes } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { HiggsError, isMissing, makeFolders, volumeError } from "@higgs-worker/base";
import { isAudioExtension, MAX_VOICE_AUDIO_BYTES, readJson, writeWhole } from "./voice-files.ts";

/** Somebody's recorded agreement to the cloning of their voice. */
export interface VoiceConsent {
  /** `cons_` and 24 hex digits. */
  readonly id: string;
  readonly name: string;
  /** A language tag, such as `en-US`. */
  readonly language: string;
  readonly createdAtMs: number;
}

export interface NewConsent {
  readonly name: string;
  readonly language: string;
  readonly recording: Uint8Array;
  /** Of the recording, with the dot. */
  readonly extension: string;
}

/** More would mean that something makes them without end. */
const MAX_CONSENTS = 1000;
const MAX_NAME_CHARS = 256;
const ID = /^cons_[0-9a-f]{24}$/;
/** An alphanumeric language, then subtags. */
const LANGUAGE = /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/;

/** Consents as files of a folder: ID.json (who, when), and the recording beside it. A consent is there once it has its JSON. */
export class ConsentStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * All consents, newest first.
   *
   * @throws {HiggsError} VOLUME_UNAVAILABLE when the folder cannot be read
   */
  async list(): Promise<VoiceConsent[]> {
    const consents: VoiceConsent[] = [];
    for (const id of await this.#ids()) {
      const consent = await this.find(id);
      if (consent !== null) consents.push(consent);
    }
    return consents.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? -1 : 1));
  }

  /**
   * The consent with an id; null when there is none, or the id is not one.
   *
   * @throws {HiggsError} VOLUME_UNAVAILABLE when the folder cannot be read
   */
  async find(id: string): Promise<VoiceConsent | null> {
    if (!ID.test(id)) return null;
    const facts = await readJson(join(this.#folder, `${id}.json`));
    if (facts === null) return null;
    const text = (field: string): string => (typeof facts[field] === "string" ? facts[field] : "");
    const createdAtMs = Date.parse(text("created_at"));
    const known = Number.isNaN(createdAtMs) ? 0 : createdAtMs;
    return { id, name: text("name"), language: text("language"), createdAtMs: known };
  }

  /**
   * Keeps a consent and its recording.
   *
   * @throws {HiggsError} INVALID_INPUT when name or language are not usable, or there are too many consents
   * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be written
   */
  async add({ name, language, recording, extension }: NewConsent): Promise<VoiceConsent> {
    const cleanName = checkedName(name);
    if (!LANGUAGE.test(language)) throw invalid("language", "must be a language tag such as en-US");
    if (!isAudioExtension(extension) || recording.length === 0 || recording.length > MAX_VOICE_AUDIO_BYTES) {
      throw invalid("recording", `is not a usable audio file (got ${recording.length} bytes)`);
    }
    const count = (await this.#ids()).length;
    if (count >= MAX_CONSENTS) throw invalid("recording", `would be one too many (limit ${MAX_CONSENTS} consents)`);
    const consent = {
      id: `cons_${randomBytes(12).toString("hex")}`,
      name: cleanName,
      language,
      createdAtMs: Date.now(),
    };
    await makeFolders(this.#folder).catch((error: unknown) => {
      throw volumeError("make the folder for consents", this.#folder, error);
    });
    await writeWhole(join(this.#folder, `${consent.id}${extension.toLowerCase()}`), recording);
    await this.#write(consent);
    return consent;
  }

  /**
   * Changes the name; null when there is no such consent.
   *
   * @throws {HiggsError} INVALID_INPUT when the name is not usable, VOLUME_UNAVAILABLE when it cannot be written
   */
  async rename(id: string, name: string): Promise<VoiceConsent | null> {
    const cleanName = checkedName(name);
    const consent = await this.find(id);
    if (consent === null) return null;
    const renamed = { ...consent, name: cleanName };
    await this.#write(renamed);
    return renamed;
  }

  /**
   * Removes a consent and its recording; false when there is none. Voices that were made with it stay.
   *
   * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be removed
   */
  async remove(id: string): Promise<boolean> {
    if ((await this.find(id)) === null) return false;
    const files = (await this.#fileNames()).filter((name) => name.startsWith(`${id}.`));
    // Its JSON first: without it there is no consent.
    const ordered = files.sort((a, b) => Number(b.endsWith(".json")) - Number(a.endsWith(".json")));
    for (const name of ordered) {
      await rm(join(this.#folder, name), { force: true }).catch((error: unknown) => {
        throw volumeError("remove the consent", join(this.#folder, name), error);
      });
    }
    return true;
  }

  async #write({ id, name, language, createdAtMs }: VoiceConsent): Promise<void> {
    const facts = { name, language, created_at: new Date(createdAtMs).toISOString() };
    await writeWhole(join(this.#folder, `${id}.json`), `${JSON.stringify(facts, null, 2)}\n`);
  }

  async #ids(): Promise<string[]> {
    const names = (await this.#fileNames()).filter((name) => name.endsWith(".json"));
    return names.map((name) => name.slice(0, -".json".length)).filter((id) => ID.test(id));
  }

  async #fileNames(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw volumeError("list the consents", this.#folder, error);
    }
  }
}

function checkedName(name: string): string {
  const clean = name.normalize("NFC").trim();
  const characters = Array.from(clean).length;
  if (clean === "" || characters > MAX_NAME_CHARS || /\p{C}/u.test(clean)) {
    throw invalid("name", `must be one line of text (got ${characters} characters, limit 1 to ${MAX_NAME_CHARS})`);
  }
  return clean;
}

function invalid(field: string, why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "keep the consent", `${field} ${why}`, { problems: [`${field} ${why}`] });
}
