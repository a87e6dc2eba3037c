import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";

export interface ZipMember {
  readonly name: string;
  readonly data: Uint8Array;
  /** Size of a member of zeros that is left as a hole in the file; `data` is then empty. */
  readonly holeBytes?: number;
  /** Fields of the central directory that shall lie. */
  readonly lies?: Partial<Record<"method" | "flags" | "compressedBytes" | "bytes" | "offset" | "crc", number>>;
  /** Sizes and offset in a zip64 extra field. */
  readonly isZip64?: boolean;
}

/** A part of the archive and where it goes. */
interface Piece {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** A zip archive of stored members. */
export function encodeZip(members: readonly ZipMember[], isZip64End = false): Uint8Array {
  const { pieces, sizeBytes } = layOutZip(members, isZip64End);
  const archive = new Uint8Array(sizeBytes);
  for (const { position, bytes } of pieces) archive.set(bytes, position);
  return archive;
}

/** The same in a file, where members of zeros take no space. */
export function writeSparseZip(path: string, members: readonly ZipMember[]): void {
  const { pieces, sizeBytes } = layOutZip(members, false);
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, sizeBytes);
    for (const { position, bytes } of pieces) writeSync(file, bytes, 0, bytes.length, position);
  } finally {
    closeSync(file);
  }
}

function layOutZip(members: readonly ZipMember[], isZip64End: boolean): { pieces: Piece[]; sizeBytes: number } {
  const pieces: Piece[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const member of members) {
    const name = new TextEncoder().encode(member.name);
    const checksum = crc32(member.data);
    const size = member.holeBytes ?? member.data.length;
    const header = concat([
      uint32(0x04034b50),
      uint16(20),
      uint16(0x800),
      uint16(0),
      uint32(0),
      uint32(checksum),
      uint32(size),
      uint32(size),
      uint16(name.length),
      uint16(0),
      name,
    ]);
    directory.push(encodeDirectoryEntry(member, name, position, checksum));
    pieces.push({ position, bytes: header }, { position: position + header.length, bytes: member.data });
    position += header.length + size;
  }
  const central = concat(directory);
  const end = concat([central, encodeEnd(members.length, position, central.length, isZip64End)]);
  pieces.push({ position, bytes: end });
  return { pieces, sizeBytes: position + end.length };
}

function encodeDirectoryEntry(member: ZipMember, name: Uint8Array, position: number, checksum: number): Uint8Array {
  const { method = 0, flags = 0x800, crc = checksum, offset = position } = member.lies ?? {};
  const { bytes = member.holeBytes ?? member.data.length, compressedBytes = bytes } = member.lies ?? {};
  const isZip64 = member.isZip64 === true;
  const extra = isZip64 ? concat([uint16(1), uint16(24), uint64(bytes), uint64(compressedBytes), uint64(offset)]) : [];
  const [storedBytes, rawBytes, place] = isZip64
    ? [0xffffffff, 0xffffffff, 0xffffffff]
    : [compressedBytes, bytes, offset];
  return concat([
    uint32(0x02014b50),
    uint16(20),
    uint16(20),
    uint16(flags),
    uint16(method),
    uint32(0),
    uint32(crc),
    uint32(storedBytes),
    uint32(rawBytes),
    uint16(name.length),
    uint16(extra.length),
    uint16(0),
    uint16(0),
    uint16(0),
    uint32(0),
    uint32(place),
    name,
    extra,
  ]);
}

function encodeEnd(count: number, position: number, length: number, isZip64: boolean): Uint8Array {
  if (!isZip64) {
    return concat([
      uint32(0x06054b50),
      uint32(0),
      uint16(count),
      uint16(count),
      uint32(length),
      uint32(position),
      uint16(0),
    ]);
  }
  return concat([
    uint32(0x06064b50),
    uint64(44),
    uint16(45),
    uint16(45),
    uint32(0),
    uint32(0),
    uint64(count),
    uint64(count),
    uint64(length),
    uint64(position),
    uint32(0x07064b50),
    uint32(0),
    uint64(position + length),
    uint32(1),
    uint32(0x06054b50),
    uint32(0),
    uint16(0xffff),
    uint16(0xffff),
    uint32(0xffffffff),
    uint32(0xffffffff),
    uint16(0),
  ]);
}

function uint16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  new DataView(bytes.buffer).setUint16(0, value, true);
  return bytes;
}

export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return bytes;
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

function concat(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
