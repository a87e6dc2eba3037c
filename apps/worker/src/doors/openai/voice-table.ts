import { HiggsError, readRegularFile } from "@higgs-worker/base";
import type { VoiceLibrary } from "@higgs-worker/higgs-audio";
import { findVoice } from "../../references/prepare-references.ts";

/** The names that OpenAI's clients send; some of them send no others. */
const OPENAI_VOICES = [
  "alloy",
  "ash",
  "ballad",
  "coral",
  "echo",
  "fable",
  "onyx",
  "nova",
  "sage",
  "shimmer",
  "verse",
  "marin",
  "cedar",
] as const;

type OpenAiVoice = (typeof OPENAI_VOICES)[number];

/** What speaks for a name: a value of `ref_audio`, or null for the model's own choice. */
export type VoiceTable = Readonly<Record<string, string | null>>;

/** For the demo model, which imitates the voices that come with it. */
const DEMO_TABLE: Readonly<Record<OpenAiVoice, string>> = {
  alloy: "slt",
  ash: "rms",
  ballad: "awb",
  coral: "slt",
  echo: "kal",
  fable: "awb",
  onyx: "rms",
  nova: "slt",
  sage: "slt-low",
  shimmer: "slt",
  verse: "rms-high",
  marin: "slt-low",
  cedar: "rms",
};

/** For real models, until voices are added: voices that the model is told of in words. */
const PROFILE_TABLE: Readonly<Record<OpenAiVoice, string>> = {
  alloy: "profile:female_en_story",
  ash: "profile:male_en",
  ballad: "profile:male_en_british",
  coral: "profile:female_en_british",
  echo: "profile:male_en",
  fable: "profile:male_en_british",
  onyx: "profile:male_en",
  nova: "profile:female_en_story",
  sage: "profile:female_en_british",
  shimmer: "profile:female_en_story",
  verse: "profile:male_en",
  marin: "profile:female_en_british",
  cedar: "profile:male_en",
};

const MAX_TABLE_BYTES = 256 * 1024;

/**
 * The user's table of voices.
 *
 * @throws {HiggsError} INVALID_INPUT when the file is missing, or is not a JSON object of names
 */
export async function readVoiceTable(path: string | null): Promise<VoiceTable> {
  if (path === null) return {};
  const subject = "read the table of voices (HIGGS_OPENAI_VOICES)";
  const options = { subject, missing: "INVALID_INPUT", refused: "INVALID_INPUT", maxBytes: MAX_TABLE_BYTES } as const;
  const bytes = await readRegularFile(path, options);
  const wrong = (why: string): HiggsError => new HiggsError("INVALID_INPUT", subject, why);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw wrong("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong('it must be an object such as {"alloy": "NAME"}');
  }
  for (const [name, voice] of Object.entries(value)) {
    if (voice !== null && (typeof voice !== "string" || voice.trim() === "")) {
      throw wrong(`the voice of ${JSON.stringify(name.slice(0, 64))} must be a name or null`);
    }
  }
  return value as VoiceTable;
}

export interface OpenAiVoicesOptions {
  readonly library: VoiceLibrary;
  /** The user's table. */
  readonly table: VoiceTable;
  /** Whether the demo model speaks. */
  readonly isDemo: () => boolean;
}

/** Which voice speaks for the `voice` of a request. */
export class OpenAiVoices {
  readonly #options: OpenAiVoicesOptions;

  constructor(options: OpenAiVoicesOptions) {
    this.#options = options;
  }

  /**
   * The `ref_audio` for a name: by the user's table, else the voice of the library that is called so, else OpenAI's names by the
   * default table. Names with commas are looked up one by one, for a dialogue. Other values of `ref_audio` (`profile:NAME`, an
   * address) stand for themselves.
   *
   * @throws {HiggsError} VOICE_NOT_FOUND when a name is none of these
   * @throws {HiggsError} VOLUME_UNAVAILABLE when the library cannot be read
   */
  async referenceOf(name: string): Promise<string | null> {
    const { library, table } = this.#options;
    if (Object.hasOwn(table, name)) return table[name] ?? null;
    if (name.includes(":")) return name;
    if (name.includes(",")) return await this.#referencesOf(name.split(","));
    const standard = this.#standardOf(name);
    if (standard !== undefined && (await library.find(name)) === null) return standard;
    return (await findVoice(name, "voice", library)).name;
  }

  async #referencesOf(names: readonly string[]): Promise<string> {
    const references = await Promise.all(names.map((name) => this.referenceOf(name.trim())));
    return references.map((reference, index) => reference ?? names[index] ?? "").join(",");
  }

  /** All names that a request may give, each once: OpenAI's, those of the user's table, and the library's. */
  async names(): Promise<string[]> {
    const { library, table } = this.#options;
    return [...new Set([...OPENAI_VOICES, ...Object.keys(table), ...(await library.names())])];
  }

  #standardOf(name: string): string | undefined {
    const defaults: VoiceTable = this.#options.isDemo() ? DEMO_TABLE : PROFILE_TABLE;
    return Object.hasOwn(defaults, name) ? (defaults[name] ?? undefined) : undefined;
  }
}
