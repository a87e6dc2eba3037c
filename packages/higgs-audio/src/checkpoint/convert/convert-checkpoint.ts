import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  HiggsError,
  isMissing,
  type LockOptions,
  makeFolders,
  removePartials,
  volumeError,
  withFileLock,
  writeAtomically,
} from "@higgs-worker/base";
import { type Ggml, GgmlError, GgufFile } from "@higgs-worker/ggml";
import type { LmCheckpoint } from "../open-checkpoint.ts";
import { WEIGHT_FORMATS, type WeightFormat } from "../weight-format.ts";
import { checksumTensors, findDamage } from "./checksums.ts";
import { planConversion } from "./conversion-plan.ts";
import { CONVERTER_VERSION, readConversionFacts } from "./metadata.ts";
import { writeTensors, type WriteOptions } from "./write-tensors.ts";

export interface ConvertOptions extends WriteOptions {
  readonly format: WeightFormat;
  /** Folder for converted files; made when it does not exist. */
  readonly cacheDir: string;
  /** Called once when another process is converting the same model. */
  readonly onWaiting?: () => void;
  readonly lock?: Pick<LockOptions, "heartbeatMs" | "staleMs" | "pollMs">;
}

export interface ConvertedModel {
  readonly path: string;
  readonly sizeBytes: number;
  /** False when the cache had it already. */
  readonly isNew: boolean;
}

const DOING = "convert the model";

/**
 * Converts a generation model to a GGUF file in the cache folder, once. The file name consists of the checkpoint's source hash,
 * the converter's version and the format; the file gets it only when it is complete and on disk. Several processes may call
 * this for the same checkpoint: one converts, the others wait and use its file. No temporary file is left behind, except by a
 * killed process; the next conversion removes it.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when there is no space or no permission
 * @throws {HiggsError} CANCELLED when the signal fires
 * @throws what reading the checkpoint throws
 */
export async function convertCheckpoint(
  ggml: Ggml,
  checkpoint: LmCheckpoint,
  options: ConvertOptions,
): Promise<ConvertedModel> {
  const path = convertedPath(checkpoint, options.format, options.cacheDir);
  const existing = await findConverted(ggml, checkpoint, options);
  if (existing !== null) return existing;
  await makeFolders(options.cacheDir).catch((error: unknown) => {
    throw volumeError("make the cache folder", options.cacheDir, error);
  });
  const { signal, onWaiting, lock } = options;
  const lockPath = `${path}.lock`;
  return withFileLock(lockPath, { ...lock, signal, onWaiting }, async () => {
    const made = await findConverted(ggml, checkpoint, options);
    if (made !== null) return made;
    await removeLeftovers(path, lockPath);
    const plan = planConversion(ggml, checkpoint, options.format);
    await checkSpace(options.cacheDir, plan.fileBytes);
    await writeAtomically(path, async (file) => {
      await writeTensors(ggml, checkpoint, plan, file, options);
      // Read it back: what was meant to be written does not prove what the file holds.
      const checksums = (await checksumTensors(file, plan.tensors, signal)).join("");
      const { header } = planConversion(ggml, checkpoint, options.format, checksums);
      await file.write(header, 0, header.length, 0);
    }).catch((error: unknown) => {
      throw volumeError(DOING, path, error);
    });
    return { path, sizeBytes: plan.fileBytes, isNew: true };
  });
}

export interface CheckedConversion {
  readonly format: WeightFormat;
  readonly path: string;
  /** What is wrong with it; null for a sound one. */
  readonly damage: string | null;
}

/**
 * Reads and checks all conversions of a checkpoint in the cache folder.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when one cannot be read
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function checkConversions(
  loadGgml: () => Ggml,
  checkpoint: LmCheckpoint,
  cacheDir: string,
  signal?: AbortSignal,
): Promise<CheckedConversion[]> {
  const checked: CheckedConversion[] = [];
  for (const format of WEIGHT_FORMATS) {
    const path = convertedPath(checkpoint, format, cacheDir);
    if (!existsSync(path)) continue;
    checked.push({ format, path, damage: await findDamage(loadGgml(), path, signal) });
  }
  return checked;
}

/** Where the conversion of a checkpoint is kept. */
export function convertedPath(checkpoint: LmCheckpoint, format: WeightFormat, cacheDir: string): string {
  const key = createHash("sha256").update(JSON.stringify([CONVERTER_VERSION, checkpoint.sourceHash, format]));
  return join(cacheDir, `higgs-audio-${format}-${key.digest("hex").slice(0, 32)}.gguf`);
}

/** The finished conversion of a checkpoint; null when there is none. A damaged file of that name is removed. */
async function findConverted(
  ggml: Ggml,
  checkpoint: LmCheckpoint,
  options: Pick<ConvertOptions, "format" | "cacheDir">,
): Promise<ConvertedModel | null> {
  const path = convertedPath(checkpoint, options.format, options.cacheDir);
  try {
    const { size } = await stat(path);
    if (isSound(ggml, checkpoint, options.format, path)) return { path, sizeBytes: size, isNew: false };
    await rm(path, { force: true });
    return null;
  } catch (error) {
    if (isMissing(error)) return null;
    throw volumeError("use the converted model", path, error);
  }
}

/** Checks names, types and sizes of all tensors and where the file comes from; the values are not read. */
function isSound(ggml: Ggml, checkpoint: LmCheckpoint, format: WeightFormat, path: string): boolean {
  try {
    using file = GgufFile.open(ggml, path);
    const facts = readConversionFacts(file);
    const { tensors } = planConversion(ggml, checkpoint, format);
    return (
      facts.sourceHash === checkpoint.sourceHash &&
      facts.converterVersion === CONVERTER_VERSION &&
      facts.format === format &&
      file.tensors.size === tensors.length &&
      tensors.every(({ tensor, type, position }) => {
        const found = file.tensors.get(tensor.name);
        return found?.type === type && found.byteOffset === position;
      })
    );
  } catch (error) {
    const isDamaged = error instanceof HiggsError || (error instanceof GgmlError && error.kind === "gguf-invalid");
    if (isDamaged) return false;
    throw error;
  }
}

/** A converter touches its lock every few seconds; one that has not for this long is dead. */
const DEAD_LOCK_MS = 120_000;

/**
 * Removes what killed converters have left, those of other models and formats too: gigabytes each. This conversion's are dead
 * because its lock is held; others when they have no lock, or one that is old. Ages are measured against the lock file,
 * which was made a moment ago on the same file system, so that this machine's clock does not matter.
 */
async function removeLeftovers(path: string, lockPath: string): Promise<void> {
  const now = await modifiedMs(lockPath);
  await removePartials(dirname(path), async (stem) => {
    if (stem === basename(path)) return true;
    return now - (await modifiedMs(join(dirname(path), `${stem}.lock`))) > DEAD_LOCK_MS;
  });
}

/** 0 when there is no such file. */
async function modifiedMs(path: string): Promise<number> {
  return stat(path).then(
    (status) => status.mtimeMs,
    () => 0,
  );
}

/** Fails early instead of after minutes of work. If the file system does not report its free space, writing will fail. */
async function checkSpace(cacheDir: string, neededBytes: number): Promise<void> {
  const status = await statfs(cacheDir).catch(() => null);
  if (status === null || status.blocks === 0) return;
  const freeBytes = status.bavail * status.bsize;
  if (freeBytes < neededBytes) {
    const sizes = `got ${freeBytes} bytes, needed ${neededBytes}`;
    throw new HiggsError("VOLUME_UNAVAILABLE", DOING, `too little free space in ${cacheDir} (${sizes})`);
  }
}
