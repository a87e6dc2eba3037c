import { closeSync, openSync, readSync } from "node:fs";

/** Of ELF's 64-bit little-endian form: where the program headers are, their kinds, and the dynamic section's tags. */
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DYNAMIC_ENTRY_BYTES = 16;
const DT_NULL = 0n;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;
/** A library has a few hundred bytes of dynamic section and some hundred kilobytes of names; more is not one. */
const MAX_SECTION_BYTES = 64 * 1024 * 1024;

interface Segment {
  readonly type: number;
  readonly position: number;
  readonly address: bigint;
  readonly byteLength: number;
}

/**
 * Names of the shared libraries that an ELF file asks the loader for (`DT_NEEDED`), such as `libcudart.so.12`. Empty when it
 * is not a 64-bit little-endian ELF file, or a damaged one.
 */
export function neededLibraries(path: string): string[] {
  const fd = openSync(path, "r");
  try {
    const read = (position: number, byteLength: number): Buffer => {
      const bytes = Buffer.alloc(Math.min(byteLength, MAX_SECTION_BYTES));
      return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, position));
    };
    return readNeeded(read);
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  } finally {
    closeSync(fd);
  }
}

function readNeeded(read: (position: number, byteLength: number) => Buffer): string[] {
  const header = read(0, HEADER_BYTES);
  // Magic, 64 bits, little-endian.
  if (header.length < HEADER_BYTES || header.readUIntBE(0, 6) !== 0x7f454c460201) return [];
  const count = header.readUInt16LE(56);
  const table = read(Number(header.readBigUInt64LE(32)), count * PROGRAM_HEADER_BYTES);
  const segments = Array.from({ length: count }, (_, index): Segment => {
    const at = index * PROGRAM_HEADER_BYTES;
    return {
      type: table.readUInt32LE(at),
      position: Number(table.readBigUInt64LE(at + 8)),
      address: table.readBigUInt64LE(at + 16),
      byteLength: Number(table.readBigUInt64LE(at + 32)),
    };
  });
  const section = segments.find(({ type }) => type === PT_DYNAMIC);
  if (section === undefined) return [];
  const entries = dynamicEntries(read(section.position, section.byteLength));
  const valueOf = (wanted: bigint): bigint => entries.find(({ tag }) => tag === wanted)?.value ?? 0n;
  const namesAddress = valueOf(DT_STRTAB);
  const holder = segments.find(({ type, address, byteLength }) => {
    return type === PT_LOAD && namesAddress >= address && namesAddress < address + BigInt(byteLength);
  });
  if (holder === undefined) return [];
  const names = read(holder.position + Number(namesAddress - holder.address), Number(valueOf(DT_STRSZ)));
  return entries
    .filter(({ tag }) => tag === DT_NEEDED)
    .map(({ value }) => names.toString("latin1", Number(value), names.indexOf(0, Number(value))));
}

function dynamicEntries(bytes: Buffer): { readonly tag: bigint; readonly value: bigint }[] {
  const entries: { tag: bigint; value: bigint }[] = [];
  for (let at = 0; at + DYNAMIC_ENTRY_BYTES <= bytes.length; at += DYNAMIC_ENTRY_BYTES) {
    const tag = bytes.readBigInt64LE(at);
    if (tag === DT_NULL) break;
    entries.push({ tag, value: bytes.readBigUInt64LE(at + 8) });
  }
  return entries;
}
