import { AUDIO_FORMATS, type AudioFormat } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/base";
import { drawSeed } from "@higgs-worker/higgs-audio";
import type { CutGranularity } from "@higgs-worker/higgs-audio/requests";
import { AUDIO_SHAPE } from "@higgs-worker/higgs-audio/requests";
import { fileSampleRate } from "../../job/file-options.ts";
import { kindOf } from "../../names/describe-value.ts";
import { readSpeechRequest, type SpeechRequestOptions } from "../openai/speech-request.ts";
import type { JsonMessage } from "../sockets/json-message.ts";

/** How a session speaks, until the next `session.config`. */
export interface SessionConfig {
  /** Fields of a job, without the text. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly format: AudioFormat;
  readonly sampleRateHz: number;
  /** Whether binary frames come while a sentence is made, or one complete file a sentence. */
  readonly isStreamed: boolean;
  readonly granularity: CutGranularity;
  readonly seed: number;
}

const GRANULARITIES: readonly CutGranularity[] = ["sentence", "clause", "none"];

/**
 * Reads `session.config`: its fields stand beside the type or in `session`. They are those of `/v1/audio/speech` without the text;
 * unknown ones are ignored.
 *
 * @throws {HiggsError} as `readSpeechRequest` does
 */
export async function readSessionConfig(message: JsonMessage, options: SpeechRequestOptions): Promise<SessionConfig> {
  const { type: _type, session = {}, ...beside } = message;
  if (typeof session !== "object" || session === null || Array.isArray(session)) {
    throw wrong("session", `must be an object (got ${kindOf(session)})`);
  }
  const given: JsonMessage = { ...beside, ...withoutNulls(session) };
  const format = formatOf(given);
  const isStreamed = truth(given, "stream_audio") ?? true;
  if (truth(given, "word_timestamps") === true) {
    throw wrong("word_timestamps", "is not supported; the ElevenLabs routes estimate the times of characters");
  }
  const granularity = choice(given, "split_granularity", GRANULARITIES) ?? "sentence";
  const voice = given["voice"] ?? given["speaker"];
  const body = { ...given, ...(voice === undefined ? {} : { voice }), response_format: format, input: PROBE_TEXT };
  const { input } = await readSpeechRequest(body, options);
  const { transcript: _transcript, ...fields } = input;
  const seed = typeof fields["seed"] === "number" ? fields["seed"] : drawSeed();
  const asked = typeof fields["sample_rate"] === "number" ? fields["sample_rate"] : null;
  const file = { output_format: format, sample_rate: asked, speed: 1, loudness: null, stream: true };
  const sampleRateHz = fileSampleRate(file, AUDIO_SHAPE.sampleRateHz);
  if (fields["loudness"] !== undefined) throw wrong("loudness", "is only known when all of the speech is there");
  return { input: { ...fields, seed }, format, sampleRateHz, isStreamed, granularity, seed };
}

/** Stands for the text that is still to come. */
const PROBE_TEXT = "text";

function formatOf(given: JsonMessage): AudioFormat {
  const name = given["response_format"] === undefined ? "output_format" : "response_format";
  return choice(given, name, AUDIO_FORMATS) ?? "pcm";
}

function choice<const T extends string>(given: JsonMessage, name: string, choices: readonly T[]): T | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  const known = choices.find((candidate) => candidate === value);
  if (known !== undefined) return known;
  const got = typeof value === "string" ? JSON.stringify(value.slice(0, 20)) : kindOf(value);
  throw wrong(name, `must be one of ${choices.join(", ")} (got ${got})`);
}

function truth(given: JsonMessage, name: string): boolean | undefined {
  const value = given[name];
  if (value === undefined || typeof value === "boolean") return value;
  throw wrong(name, `must be true or false (got ${kindOf(value)})`);
}

function withoutNulls(fields: object): JsonMessage {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function wrong(field: string, why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "configure the session", `${field} ${why}`, { problems: [`${field} ${why}`] });
}
