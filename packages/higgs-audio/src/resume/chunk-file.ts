import { createHash } from "node:crypto";
import type { ChunkKey, StoredChunk, StoredPart } from "./stored-chunk.ts";

/** First bytes of a chunk's file, with the version of its form. */
const MAGIC = Buffer.from("HGCHUNK1", "latin1");
const LENGTH_BYTES = 4;
const HASH_BYTES = 32;
const BYTES_PER_CODE = 2;

/** What stands in front of the codes. */
interface Header extends ChunkKey {
  readonly parts: readonly {
    readonly codebooks: number;
    readonly frames: number;
    readonly facts: StoredPart["facts"];
  }[];
}

/** Why a file does not count. */
export type ChunkFileProblem = "damaged" | "foreign";

/**
 * A chunk as bytes: magic, length of the header (u32), the header as JSON, the codes part by part and row by row (u16), all
 * little-endian, and the SHA-256 of all that.
 */
export function writeChunkFile({ speech, index, after }: ChunkKey, { parts }: StoredChunk): Uint8Array {
  const header: Header = {
    speech,
    index,
    after,
    parts: parts.map(({ codes, facts }) => ({ codebooks: codes.length, frames: codes[0]?.length ?? 0, facts })),
  };
  const json = Buffer.from(JSON.stringify(header), "utf8");
  const codeCount = parts.reduce((sum, { codes }) => sum + codes.length * (codes[0]?.length ?? 0), 0);
  const start = MAGIC.length + LENGTH_BYTES + json.length;
  const file = Buffer.alloc(start + codeCount * BYTES_PER_CODE + HASH_BYTES);
  MAGIC.copy(file);
  file.writeUInt32LE(json.length, MAGIC.length);
  json.copy(file, MAGIC.length + LENGTH_BYTES);
  let position = start;
  for (const row of parts.flatMap(({ codes }) => codes)) {
    for (const code of row) position = file.writeUInt16LE(code, position);
  }
  hashOf(file.subarray(0, position)).copy(file, position);
  return file;
}

/** The chunk of such a file: `damaged` when it is not whole, `foreign` when it is of another place or speech. */
export function readChunkFile(bytes: Uint8Array, key: ChunkKey): StoredChunk | ChunkFileProblem {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = file.length - HASH_BYTES;
  if (end < MAGIC.length + LENGTH_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) return "damaged";
  if (!hashOf(file.subarray(0, end)).equals(file.subarray(end))) return "damaged";
  const start = MAGIC.length + LENGTH_BYTES + file.readUInt32LE(MAGIC.length);
  // What the checksum says is whole was written by this program.
  const header = JSON.parse(file.toString("utf8", MAGIC.length + LENGTH_BYTES, start)) as Header;
  const isOurs = header.speech === key.speech && header.index === key.index && header.after === key.after;
  return isOurs ? { parts: readParts(file, start, header) } : "foreign";
}

function readParts(file: Buffer, start: number, header: Header): StoredPart[] {
  let position = start;
  return header.parts.map(({ codebooks, frames, facts }) => ({
    facts,
    codes: Array.from({ length: codebooks }, () =>
      Int32Array.from({ length: frames }, () => {
        position += BYTES_PER_CODE;
        return file.readUInt16LE(position - BYTES_PER_CODE);
      }),
    ),
  }));
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
