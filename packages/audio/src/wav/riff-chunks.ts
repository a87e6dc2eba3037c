import { textAt, viewOf } from "../decoder/byte-text.ts";

/** What surrounds the samples in RIFF-like files. */
export interface Chunk {
  /** Four letters. */
  readonly id: string;
  /** Of the content. */
  readonly start: number;
  /** As declared, which may be more than the file has. */
  readonly size: number;
}

const HEADER_BYTES = 8;

/** Chunk names are printable; lengths and samples rarely are. */
const PLAUSIBLE_ID = /^[\w ()-]{4}$/;

/**
 * The chunks from `offset` on. They begin at even offsets; if a writer forgot the padding byte after an odd size, the next
 * name reveals it.
 */
export function* readChunks(bytes: Uint8Array, offset: number, isBigEndian: boolean): Generator<Chunk> {
  const view = viewOf(bytes);
  let place = offset;
  while (place + HEADER_BYTES <= bytes.length) {
    const id = textAt(bytes, place, 4);
    const size = view.getUint32(place + 4, !isBigEndian);
    const start = place + HEADER_BYTES;
    yield { id, start, size };
    place = start + size;
    if (size % 2 === 1 && !isMissingPadding(bytes, place)) place += 1;
  }
}

function isMissingPadding(bytes: Uint8Array, end: number): boolean {
  return PLAUSIBLE_ID.test(textAt(bytes, end, 4)) && !PLAUSIBLE_ID.test(textAt(bytes, end + 1, 4));
}

/** The bytes of a chunk's samples, and how many of the declared ones are missing. */
export interface ChunkData {
  readonly data: Uint8Array;
  readonly missingBytes: number;
}

/**
 * Tools that write into a pipe cannot go back to fill in the size and leave almost 2 GiB or 4 GiB: sox at least 0x7FFFF000,
 * ffmpeg 0xFFFFFFFF. Then the samples reach to the end of the file. No file under the size limit is this large.
 */
const UNKNOWN_SIZE_FROM = 0x7fff_f000;

/**
 * The samples of a chunk that the file has. A size of 0, left by interrupted recorders, means everything that follows,
 * unless other chunks follow up to the end.
 */
export function chunkData(bytes: Uint8Array, { start, size }: Omit<Chunk, "id">, isBigEndian: boolean): ChunkData {
  const available = Math.max(0, bytes.length - start);
  const isUnknown = size >= UNKNOWN_SIZE_FROM || (size === 0 && !isFollowedByChunks(bytes, start, isBigEndian));
  const length = isUnknown ? available : Math.min(size, available);
  return { data: bytes.subarray(start, start + length), missingBytes: isUnknown ? 0 : size - length };
}

function isFollowedByChunks(bytes: Uint8Array, offset: number, isBigEndian: boolean): boolean {
  let end = offset;
  for (const { id, start, size } of readChunks(bytes, offset, isBigEndian)) {
    if (!PLAUSIBLE_ID.test(id)) return false;
    end = start + size + (size % 2);
  }
  // The padding byte of the last one may be missing.
  return end === bytes.length || end === bytes.length + 1;
}
