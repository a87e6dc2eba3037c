import { HiggsError } from "@higgs-worker/base";
import type { AudioEncoder, AudioEncoderStream, EncoderStreamOptions } from "../audio-encoder.ts";
import { fileChapters } from "../chapters.ts";
import { encodeWith } from "../encode-whole.ts";
import { joinBytes } from "../join-bytes.ts";
import { floatToPcm16, pcm16ToBytes } from "../pcm16.ts";
import { SAMPLE_RATES_HZ } from "../sample-rates.ts";
import { cueChunks } from "./cue-chunks.ts";

/** RIFF header, `fmt ` chunk and `data` header of a PCM file. */
const WAV_HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;
const FORMAT_CHUNK_BYTES = 16;
const PCM_TAG = 1;

/** RIFF sizes have 32 bits; larger files would need RF64, which many players cannot read. */
const MAX_SAMPLES = Math.floor((2 ** 32 - 1 - WAV_HEADER_BYTES) / BYTES_PER_SAMPLE);

/**
 * Both sizes of a stream. Every reader goes on to the end with it; with 0, which other streaming writers leave, Python's
 * `wave`, SoX and libsndfile find no samples.
 */
const UNKNOWN_SIZE = 2 ** 32 - 1;

/** WAV, PCM16, mono: byte for byte the file that `soundfile.write` makes of the same floats. */
export const wavEncoder: AudioEncoder = {
  format: "wav",
  mimeType: "audio/wav",
  fileExtension: "wav",
  sampleRatesHz: SAMPLE_RATES_HZ,
  minEncodedBytes: fileBytes,
  maxEncodedBytes: fileBytes,
  warmUp: () => Promise.resolve(),
  openStream,
  encode: encodeWith(openStream),
};

function fileBytes(sampleCount: number): number {
  return WAV_HEADER_BYTES + sampleCount * BYTES_PER_SAMPLE;
}

async function openStream(options: EncoderStreamOptions): Promise<AudioEncoderStream> {
  const { sampleRateHz, purpose, chapterTitles } = options;
  let sampleCount = 0;
  return {
    write: async (pcm) => {
      const isFirst = sampleCount === 0 && pcm.length > 0;
      sampleCount += pcm.length;
      if (purpose === "file" && sampleCount > MAX_SAMPLES) throw tooLarge(sampleCount, MAX_SAMPLES);
      const samples = pcm16ToBytes(floatToPcm16(pcm));
      return isFirst ? joinBytes([wavHeader(sampleRateHz, null, 0), samples]) : samples;
    },
    end: async (chapterSeconds = []) => {
      if (sampleCount === 0) throw new HiggsError("GENERATION_FAILED", "encode WAV", "it has no samples");
      if (purpose === "live") return { tail: new Uint8Array(0), head: null, sampleCount };
      const tail = cueChunks(fileChapters(chapterTitles, chapterSeconds, sampleCount / sampleRateHz), sampleRateHz);
      const limit = MAX_SAMPLES - Math.ceil(tail.length / BYTES_PER_SAMPLE);
      if (sampleCount > limit) throw tooLarge(sampleCount, limit);
      return { tail, head: wavHeader(sampleRateHz, sampleCount, tail.length), sampleCount };
    },
    close: () => undefined,
  };
}

/** `sampleCount` null: not known. `bytesBehind` follow the samples. */
function wavHeader(sampleRateHz: number, sampleCount: number | null, bytesBehind: number): Uint8Array {
  const dataBytes = sampleCount === null ? UNKNOWN_SIZE : sampleCount * BYTES_PER_SAMPLE;
  const header = new Uint8Array(WAV_HEADER_BYTES);
  header.set(Buffer.from("RIFF....WAVEfmt ", "latin1"));
  header.set(Buffer.from("data", "latin1"), 36);
  const view = new DataView(header.buffer);
  // The size counts what follows it.
  view.setUint32(4, sampleCount === null ? UNKNOWN_SIZE : WAV_HEADER_BYTES - 8 + dataBytes + bytesBehind, true);
  view.setUint32(16, FORMAT_CHUNK_BYTES, true);
  view.setUint16(20, PCM_TAG, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * BYTES_PER_SAMPLE, true);
  view.setUint16(32, BYTES_PER_SAMPLE, true);
  view.setUint16(34, BYTES_PER_SAMPLE * 8, true);
  view.setUint32(40, dataBytes, true);
  return header;
}

function tooLarge(sampleCount: number, limit: number): HiggsError {
  return new HiggsError(
    "RESULT_TOO_LARGE",
    "encode WAV",
    `the file would exceed 4 GiB (got ${sampleCount} samples, limit ${limit})`,
  );
}
