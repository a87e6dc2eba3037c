import { textAt, viewOf } from "../decoder/byte-text.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import { chunkData, readChunks, type Chunk, type ChunkData } from "./riff-chunks.ts";
import { readWavFormat, type WavFormat } from "./wav-format.ts";

/** Where the samples of a WAV file are, and their format. */
export interface WavFile extends WavFormat, ChunkData {
  /** From the `fact` chunk, if any; ADPCM blocks do not tell it. */
  readonly frames: number | null;
}

/** Behind the outer header and its `WAVE`. */
const FIRST_CHUNK = 12;

/** In RF64 this chunk has the sizes that do not fit the others. */
const DS64_DATA_SIZE = 8;
const FULL_SIZE = 2 ** 32 - 1;

/**
 * Reads the chunks of a RIFF, RIFX or RF64 file up to the samples, as tolerant as other readers: sizes that are
 * unknown, too large or 0 mean everything that is there.
 *
 * @throws {HiggsError} REFERENCE_INVALID when it cannot be read
 */
export function openWav(bytes: Uint8Array): WavFile {
  const isBigEndian = textAt(bytes, 0, 4) === "RIFX";
  const view = viewOf(bytes);
  let format: WavFormat | null = null;
  let samples: ChunkData | null = null;
  let frames: number | null = null;
  let longDataSize: number | null = null;
  for (const chunk of readChunks(bytes, FIRST_CHUNK, isBigEndian)) {
    const { id, start, size } = chunk;
    const isWhole = start + size <= bytes.length;
    if (id === "fmt ") format = readWavFormat(bytes, start, size, isBigEndian);
    if (id === "fact" && size >= 4 && isWhole) frames = view.getUint32(start, !isBigEndian);
    if (id === "ds64" && size >= 16 && isWhole) longDataSize = Number(view.getBigUint64(start + DS64_DATA_SIZE, true));
    if (id === "data") samples ??= chunkData(bytes, withLongSize(chunk, longDataSize), isBigEndian);
    if (format !== null && samples !== null) return { ...format, ...samples, frames };
  }
  if (samples === null) {
    throw referenceInvalid(format === null ? "its WAV format chunk is missing" : "its WAV data chunk is missing");
  }
  throw referenceInvalid("its WAV format chunk is missing");
}

function withLongSize(chunk: Chunk, longDataSize: number | null): Chunk {
  if (chunk.size !== FULL_SIZE || longDataSize === null || longDataSize === 0) return chunk;
  return { ...chunk, size: longDataSize };
}
