import { HiggsError } from "@higgs-worker/base";
import { drawSeed } from "@higgs-worker/higgs-audio";
import { kindOf } from "../../names/describe-value.ts";
import { readSpeechRequest } from "../openai/speech-request.ts";
import type { OpenAiVoices } from "../openai/voice-table.ts";
import type { JsonMessage } from "../sockets/json-message.ts";
import { readElevenLabsText } from "./break-tags.ts";
import { type OutputFormat, readOutputFormat } from "./output-format.ts";
import { readSpeechFields } from "./speech-fields.ts";

export interface ElevenLabsRequest {
  readonly text: string;
  readonly outputFormat: OutputFormat;
  /** In the fields of a job. */
  readonly input: Readonly<Record<string, unknown>>;
}

export interface ElevenLabsRequestOptions {
  /** Of the address. */
  readonly voice: string;
  /** Of the query. */
  readonly outputFormat: string | undefined;
  readonly voices: OpenAiVoices;
  readonly maxChars: number;
}

/**
 * Reads a request of `/v1/text-to-speech/…`. Unknown fields are ignored.
 *
 * @throws {HiggsError} INVALID_INPUT, NOT_SUPPORTED, VOICE_NOT_FOUND or VOLUME_UNAVAILABLE
 */
export async function readElevenLabsRequest(
  body: unknown,
  options: ElevenLabsRequestOptions,
): Promise<ElevenLabsRequest> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new HiggsError("INVALID_INPUT", "speak", `the body must be a JSON object (got ${kindOf(body)})`);
  }
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null)) as JsonMessage;
  const { text = "" } = given;
  const { voice, voices, maxChars: maxInputChars } = options;
  if (typeof text !== "string") throw wrong("text", `must be text (got ${kindOf(text)})`);
  if (text.trim() === "") throw wrong("text", "is required, and must hold words");
  const characters = Array.from(text).length;
  if (characters > maxInputChars) {
    throw wrong("text", `is too long (got ${characters} characters, limit ${maxInputChars})`);
  }
  const outputFormat = readOutputFormat(options.outputFormat);
  const fields: JsonMessage = { seed: drawSeed(), ...readSpeechFields(given) };
  const isPlain = (fields["text_format"] ?? "plain") === "plain";
  const asked = {
    ...fields,
    input: isPlain ? readElevenLabsText(text) : text,
    voice,
    response_format: outputFormat.format,
  };
  const { input } = await readSpeechRequest(asked, { voices, maxInputChars });
  return { text, outputFormat, input: { ...input, sample_rate: outputFormat.sampleRateHz } };
}

function wrong(field: string, why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "speak", `${field} ${why}`, { problems: [`${field} ${why}`] });
}
