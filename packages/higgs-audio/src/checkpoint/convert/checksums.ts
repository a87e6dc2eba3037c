import { open, rm, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { isHiggsError, readFully, throwIfCancelled, volumeError } from "@higgs-worker/base";
import { type Ggml, GgmlError, GgufFile } from "@higgs-worker/ggml";
import { DEFAULT_CHUNK_BYTES } from "../limits.ts";
import { readConversionFacts } from "./metadata.ts";

interface Place {
  /** From the start of the file. */
  readonly position: number;
  readonly byteLength: number;
}

/** CRC-32 of each tensor as it stands in the file, eight hexadecimal digits each; null where the file ends before. */
export async function checksumTensors(
  file: FileHandle,
  places: Iterable<Place>,
  signal?: AbortSignal,
): Promise<(string | null)[]> {
  const buffer = new Uint8Array(DEFAULT_CHUNK_BYTES);
  const checksums: (string | null)[] = [];
  for (const { position, byteLength } of places) {
    let checksum = 0;
    let isWhole = true;
    for (let done = 0; done < byteLength && isWhole; done += buffer.length) {
      throwIfCancelled(signal, "check the converted model");
      const bytes = buffer.subarray(0, byteLength - done);
      isWhole = await readFully(file, bytes, position + done);
      checksum = crc32(bytes, checksum);
    }
    checksums.push(isWhole ? checksum.toString(16).padStart(CHECKSUM_DIGITS, "0") : null);
  }
  return checksums;
}

export const CHECKSUM_DIGITS = 8;

/** The most tensors that a message names. */
const MAX_NAMED = 3;

/**
 * Reads a converted model whole and compares it with the checksums that were written with it.
 *
 * @returns what is wrong with it, in words; null when it is sound.
 * @throws {HiggsError} VOLUME_UNAVAILABLE when it cannot be read
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function findDamage(ggml: Ggml, path: string, signal?: AbortSignal): Promise<string | null> {
  try {
    using gguf = GgufFile.open(ggml, path);
    const expected = readConversionFacts(gguf).checksums;
    const tensors = [...gguf.tensors.values()];
    const places = tensors.map(({ byteOffset, byteLength }) => ({ position: byteOffset, byteLength }));
    await using file = await open(path, "r");
    const found = await checksumTensors(file, places, signal);
    const damaged = tensors.filter((_, index) => {
      const start = index * CHECKSUM_DIGITS;
      return found[index] !== expected.slice(start, start + CHECKSUM_DIGITS);
    });
    if (damaged.length === 0) return null;
    const names = damaged.slice(0, MAX_NAMED).map(({ name }) => name);
    const more = damaged.length > MAX_NAMED ? ` and ${damaged.length - MAX_NAMED} more` : "";
    return `the converted model is damaged in ${names.join(", ")}${more} (got ${path})`;
  } catch (error) {
    const isInvalid = error instanceof GgmlError || (isHiggsError(error) && error.code === "MODEL_CORRUPT");
    if (isInvalid) return `the converted model is damaged: ${error.reason} (got ${path})`;
    throw volumeError("check the converted model", path, error);
  }
}

/** As `findDamage`, and removes a damaged file, so that the next start converts anew. */
export async function removeIfDamaged(ggml: Ggml, path: string): Promise<string | null> {
  const damage = await findDamage(ggml, path);
  if (damage !== null) await rm(path, { force: true }).catch(() => undefined);
  return damage;
}
