import { HiggsError } from "@higgs-worker/base";
import { kindOf } from "../../names/describe-value.ts";
import { speechFields } from "../speech-fields.ts";
import type { JsonMessage } from "../sockets/json-message.ts";

/** Largest seed of ElevenLabs. */
const MAX_SEED = 2 ** 32 - 1;

/**
 * The fields of a job that a body of ElevenLabs, or the first message of a WebSocket, asks for, without text and voice. Fields of a
 * job that stand in it win.
 *
 * @throws {HiggsError} INVALID_INPUT when a value is out of its range
 */
export function readSpeechFields(given: JsonMessage): Readonly<Record<string, unknown>> {
  return { ...voiceSettings(given["voice_settings"]), ...seed(given["seed"]), ...withoutText(speechFields(given)) };
}

/** Settings of a voice: stability is temperature, the other way round; likeness and style have no counterpart. */
function voiceSettings(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value))
    throw wrong("voice_settings", `must be an object (got ${kindOf(value)})`);
  const settings = value as JsonMessage;
  for (const name of ["similarity_boost", "style"]) share(settings, name);
  return { ...temperature(share(settings, "stability")), ...speed(settings["speed"]) };
}

/** 0.5, ElevenLabs' default, is the model's own temperature 1; 1 is as steady as is still natural. */
function temperature(stability: number | undefined): Readonly<Record<string, unknown>> {
  if (stability === undefined) return {};
  const value = stability <= 0.5 ? 1.2 - 0.4 * stability : 1.6 - 1.2 * stability;
  return { temperature: Number(value.toFixed(3)) };
}

function speed(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null || value === 1) return {};
  if (typeof value !== "number") throw wrong("voice_settings.speed", `must be a number (got ${kindOf(value)})`);
  return { speed: value };
}

function seed(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_SEED) return { seed: value };
  throw wrong(
    "seed",
    `must be a whole number (got ${typeof value === "number" ? value : kindOf(value)}, limit 0 … ${MAX_SEED})`,
  );
}

/** A number from 0 to 1, or undefined. */
function share(settings: JsonMessage, name: string): number | undefined {
  const value = settings[name];
  if (value === undefined || value === null) return undefined;
  // Some clients send whether it is on.
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw wrong(
    `voice_settings.${name}`,
    `must be a number (got ${typeof value === "number" ? value : kindOf(value)}, limit 0 … 1)`,
  );
}

function withoutText(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const {
    transcript: _text,
    ref_audio: _voice,
    output_format: _format,
    sample_rate: _rate,
    seed: _seed,
    ...rest
  } = fields;
  return rest;
}

function wrong(field: string, why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "speak", `${field} ${why}`, { problems: [`${field} ${why}`] });
}
