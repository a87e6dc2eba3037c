import { createHash } from "node:crypto";
import type { CodeShape } from "../codec/codes.ts";

/** First bytes of a file of codes, with the version of its form. */
const MAGIC = Buffer.from("HGCODES1", "latin1");
const HEADER_BYTES = MAGIC.length + 8;
const HASH_BYTES = 32;
const BYTES_PER_CODE = 2;

/** Longest clip that a file of codes may hold, in frames: an hour. Only keeps a damaged header from asking for memory. */
const MAX_FRAMES = 90_000;

/**
 * Codes as bytes: magic, counts of codebooks and frames (u32), the codes row by row (u16), all little-endian, and the
 * SHA-256 of all that.
 */
export function writeCodesFile(codes: readonly Int32Array[]): Uint8Array {
  const frames = codes[0]?.length ?? 0;
  const file = Buffer.alloc(HEADER_BYTES + codes.length * frames * BYTES_PER_CODE + HASH_BYTES);
  MAGIC.copy(file);
  file.writeUInt32LE(codes.length, MAGIC.length);
  file.writeUInt32LE(frames, MAGIC.length + 4);
  let position = HEADER_BYTES;
  for (const row of codes) {
    for (const code of row) position = file.writeUInt16LE(code, position);
  }
  hashOf(file.subarray(0, position)).copy(file, position);
  return file;
}

/** The codes of such a file; null when it is damaged or of another codec. */
export function readCodesFile(bytes: Uint8Array, shape: CodeShape): Int32Array[] | null {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < HEADER_BYTES + HASH_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  const rows = file.readUInt32LE(MAGIC.length);
  const frames = file.readUInt32LE(MAGIC.length + 4);
  if (rows !== shape.quantizerCount || frames === 0 || frames > MAX_FRAMES) return null;
  const end = HEADER_BYTES + rows * frames * BYTES_PER_CODE;
  if (file.length !== end + HASH_BYTES || !hashOf(file.subarray(0, end)).equals(file.subarray(end))) return null;
  const codes = Array.from({ length: rows }, (_, row) =>
    Int32Array.from({ length: frames }, (_, frame) =>
      file.readUInt16LE(HEADER_BYTES + (row * frames + frame) * BYTES_PER_CODE),
    ),
  );
  return codes.every((row) => row.every((code) => code < shape.codebookSize)) ? codes : null;
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
