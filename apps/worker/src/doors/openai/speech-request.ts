import { AUDIO_FORMATS, type AudioFormat } from "@higgs-worker/audio";
import { HiggsError, toHiggsError } from "@higgs-worker/base";
import { kindOf } from "../../names/describe-value.ts";
import { speechFields } from "../speech-fields.ts";
import type { OpenAiVoices } from "./voice-table.ts";

/** A request of `POST /v1/audio/speech`, in the fields of a job. */
export interface OpenAiSpeechRequest {
  readonly input: Readonly<Record<string, unknown>>;
  readonly streamFormat: "audio" | "sse";
  /** False when the client asked for a whole file. */
  readonly isLive: boolean;
}

export interface SpeechRequestOptions {
  readonly voices: OpenAiVoices;
  readonly maxInputChars: number;
}

/** The voice of a request that names none, so that one sentence after the other has the same. */
const DEFAULT_VOICE = "alloy";
/** As from OpenAI. */
const DEFAULT_FORMAT: AudioFormat = "mp3";
/**
 * Reads a request as OpenAI defines it. Unknown fields are ignored, as clients send many; the fields of a job that say how
 * something is spoken are taken as they are and win over OpenAI's.
 *
 * @throws {HiggsError} INVALID_INPUT when a field is wrong, NOT_SUPPORTED, VOICE_NOT_FOUND or VOLUME_UNAVAILABLE
 */
export async function readSpeechRequest(body: unknown, options: SpeechRequestOptions): Promise<OpenAiSpeechRequest> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new HiggsError("INVALID_INPUT", "speak", `the body must be a JSON object (got ${kindOf(body)})`);
  }
  const given = new Fields(body as Readonly<Record<string, unknown>>);
  const transcript = readInput(given, options.maxInputChars);
  const streamFormat = given.choice("stream_format", ["audio", "sse"]) ?? "audio";
  const isLive = given.truth("stream") ?? true;
  const own = speechFields(given.present);
  return {
    streamFormat,
    isLive: isLive || streamFormat === "sse",
    input: {
      ...instructions(given),
      ...("ref_audio" in own ? {} : { ref_audio: await referenceOf(given, options.voices) }),
      ...own,
      transcript,
      output_format: formatOf(given),
    },
  };
}

function readInput(given: Fields, maxChars: number): string {
  const name = given.has("input") ? "input" : "transcript";
  const text = given.text(name);
  if (text === undefined || text.trim() === "") throw wrong("input", "is required, and must hold words");
  const characters = Array.from(text).length;
  if (characters > maxChars) throw wrong(name, `is too long (got ${characters} characters, limit ${maxChars})`);
  return text;
}

function formatOf(given: Fields): AudioFormat {
  const name = given.has("response_format") ? "response_format" : "output_format";
  const format = given.text(name) ?? DEFAULT_FORMAT;
  const known = AUDIO_FORMATS.find((candidate) => candidate === format);
  if (known !== undefined) return known;
  throw wrong(
    name,
    `is not supported (got ${JSON.stringify(format.slice(0, 20))}, supported: ${AUDIO_FORMATS.join(", ")})`,
  );
}

function instructions(given: Fields): Readonly<Record<string, unknown>> {
  const text = given.text("instructions")?.trim() ?? "";
  return text === "" ? {} : { scene_prompt: text };
}

async function referenceOf(given: Fields, voices: OpenAiVoices): Promise<string | null> {
  const value = given.present["voice"] ?? DEFAULT_VOICE;
  const name = typeof value === "object" && "id" in value ? value.id : value;
  if (typeof name !== "string" || name.trim() === "") {
    throw wrong("voice", `must be a name, or an object with an id (got ${kindOf(name)})`);
  }
  try {
    return await voices.referenceOf(name.trim());
  } catch (error) {
    const { code, subject, reason } = toHiggsError(error);
    throw new HiggsError(code, subject, reason, { cause: error, problems: ["voice"] });
  }
}

/** The fields of a body; null counts as left out. */
class Fields {
  readonly present: Readonly<Record<string, unknown>>;

  constructor(body: Readonly<Record<string, unknown>>) {
    this.present = Object.fromEntries(
      Object.entries(body).filter(([, value]) => value !== null && value !== undefined),
    );
  }

  has(name: string): boolean {
    return Object.hasOwn(this.present, name);
  }

  text(name: string): string | undefined {
    const value = this.present[name];
    if (!this.has(name)) return undefined;
    if (typeof value === "string") return value;
    throw wrong(name, `must be text (got ${kindOf(value)})`);
  }

  truth(name: string): boolean | undefined {
    const value = this.present[name];
    if (!this.has(name)) return undefined;
    if (typeof value === "boolean") return value;
    throw wrong(name, `must be true or false (got ${kindOf(value)})`);
  }

  choice<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name);
    const known = choices.find((choice) => choice === value);
    if (known !== undefined || value === undefined) return known;
    throw wrong(name, `must be one of ${choices.join(", ")} (got ${JSON.stringify(value.slice(0, 20))})`);
  }
}

function wrong(field: string, why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "speak", `${field} ${why}`, { problems: [`${field} ${why}`] });
}
