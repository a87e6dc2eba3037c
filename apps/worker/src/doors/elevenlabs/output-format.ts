import { type AudioFormat, encoderFor } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/base";

/** What a name such as `mp3_44100_128` asks for. */
export interface OutputFormat {
  readonly name: string;
  readonly format: AudioFormat;
  readonly sampleRateHz: number;
  /** Of compressed formats, in kilobits a second; null for the format's own. */
  readonly kilobits: number | null;
}

const DEFAULT_OUTPUT_FORMAT = "mp3_44100_128";

/** Names that ElevenLabs has, and those of its form that stand for what is written here. */
const NAME = /^(mp3|pcm|wav|opus|flac|ulaw|alaw)_(\d{4,5})(?:_(\d{2,3}))?$/;
const COMPRESSED: ReadonlySet<AudioFormat> = new Set<AudioFormat>(["mp3", "opus"]);
const KILOBITS: ReadonlySet<number> = new Set([32, 48, 64, 96, 128, 192]);

/**
 * Reads `output_format`.
 *
 * @throws {HiggsError} INVALID_INPUT when it is not the name of a format that is written here
 */
export function readOutputFormat(name: string = DEFAULT_OUTPUT_FORMAT): OutputFormat {
  const match = NAME.exec(name);
  const format = match?.[1] as AudioFormat | undefined;
  const sampleRateHz = Number(match?.[2]);
  const kilobits = match?.[3] === undefined ? null : Number(match[3]);
  if (format === undefined || (kilobits !== null && !(COMPRESSED.has(format) && KILOBITS.has(kilobits)))) {
    throw wrong(name, "limit: names such as mp3_44100_128, pcm_24000, opus_48000_64, ulaw_8000");
  }
  const { sampleRatesHz } = encoderFor(format);
  if (!sampleRatesHz.includes(sampleRateHz)) throw wrong(name, `limit of ${format}: ${sampleRatesHz.join(", ")} Hz`);
  return { name, format, sampleRateHz, kilobits };
}

function wrong(name: string, limit: string): HiggsError {
  const got = /^[\w.-]{1,32}$/.test(name) ? JSON.stringify(name) : "another text";
  const why = `output_format is not supported (got ${got}, ${limit})`;
  return new HiggsError("INVALID_INPUT", "speak", why, { problems: [`output_format ${why}`] });
}
