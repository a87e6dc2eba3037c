import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { HiggsError, isHiggsError } from "@higgs-worker/base";
import { checkConversions } from "@higgs-worker/higgs-audio/parts";
import type { SettingFlags } from "../config/load.ts";
import { cacheDirOf } from "../model/cache-dir.ts";
import { loadCpuLibrary } from "../model/devices.ts";
import { publishedHash } from "../model/published-hash.ts";
import { openAnyCheckpoint, type AnyCheckpoint } from "../model/open-any-checkpoint.ts";
import { EXIT_FAILED, EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { formatBytes } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";
import { openCommandContext } from "./command-context.ts";

export interface ModelsVerifyArgs {
  readonly directory: string;
  /** SHA-256 of every weight file too. */
  readonly withHashes: boolean;
  readonly isJson: boolean;
  readonly settings: SettingFlags;
}

/**
 * `higgs models verify DIR`: reads every value of a checkpoint. Opening it checks structure, names and shapes; this finds
 * non-finite values, zeros from an interrupted download, files that are truncated or differ from the published ones, and
 * damaged converted weights.
 */
export async function runModelsVerify(args: ModelsVerifyArgs, io: CommandIo): Promise<number> {
  const opened = await openAnyCheckpoint(args.directory);
  try {
    const problems = await tensorProblems(opened, io);
    const broken = problems.map(({ name }) => name);
    const hashes = await hashFiles(opened, args.withHashes, io.signal);
    const changed = hashes.filter(({ sha256, published }) => published !== null && published !== sha256);
    const conversions = await conversionsOf(opened, args, io);
    const isSound = broken.length === 0 && changed.length === 0 && conversions.every(({ damage }) => damage === null);
    const { kind, checkpoint } = opened;
    const shownHashes = args.withHashes ? hashes.map(({ path, sha256 }) => ({ path, sha256 })) : [];
    if (args.isJson) {
      const facts = { broken, hashes: shownHashes, changed: changed.map(({ path }) => path), conversions };
      await printJson(io, { kind, directory: checkpoint.directory, ok: isSound, ...facts });
    } else {
      const bytes = checkpoint.files.reduce((total, file) => total + file.sizeBytes, 0);
      for (const { path, sha256 } of shownHashes) await io.stdout.write(`${sha256}  ${path}\n`);
      for (const { path, published } of changed) {
        await io.stdout.write(`${path}: its SHA-256 differs from the published file's (expected ${published})\n`);
      }
      for (const { name, problem } of problems) await io.stdout.write(`${name}: ${problem}\n`);
      for (const { path, damage } of conversions) await io.stdout.write(`${path}: ${damage ?? "ok"}\n`);
      const verdict = broken.length === 0 ? "all values are valid" : `${broken.length} tensors are broken`;
      await io.stdout.write(`${kind}, ${checkpoint.tensors.size} tensors, ${formatBytes(bytes)}: ${verdict}\n`);
    }
    return isSound ? EXIT_OK : EXIT_FAILED;
  } finally {
    await opened.checkpoint.close();
  }
}

/** The converted weights of the model in the cache folder. */
async function conversionsOf(opened: AnyCheckpoint, args: ModelsVerifyArgs, io: CommandIo) {
  if (opened.kind !== "model") return [];
  const { config, logger } = await openCommandContext(io, args.settings);
  const load = () => loadCpuLibrary(config, logger);
  return await checkConversions(load, opened.checkpoint, cacheDirOf(config), io.signal);
}

interface TensorProblem {
  readonly name: string;
  readonly problem: string;
}

async function tensorProblems({ checkpoint }: AnyCheckpoint, io: CommandIo): Promise<TensorProblem[]> {
  const names = [...checkpoint.tensors.keys(), ...checkpoint.optionalTensors.keys()];
  const problems: TensorProblem[] = [];
  for (const [index, name] of names.entries()) {
    if (io.signal.aborted) throw new HiggsError("CANCELLED", "finish the check", "it was cancelled");
    if (io.stderr.isTerminal) await io.stderr.write(`\r\u001B[2K${index + 1}/${names.length} ${name}`);
    const problem = await problemOf(checkpoint, name);
    if (problem !== null) problems.push({ name, problem });
  }
  if (io.stderr.isTerminal) await io.stderr.write("\r\u001B[2K");
  return problems;
}

/** What is wrong with a tensor's values; null when they are valid. */
async function problemOf(checkpoint: AnyCheckpoint["checkpoint"], name: string): Promise<string | null> {
  try {
    for await (const { values } of checkpoint.streamRowsF32(name)) {
      if (!isFinite(values)) return "it has non-finite values";
    }
    return null;
  } catch (error) {
    if (isHiggsError(error) && error.code === "MODEL_CORRUPT") return error.reason;
    throw error;
  }
}

function isFinite(values: Float32Array): boolean {
  for (let index = 0; index < values.length; index++) if (!Number.isFinite(values[index])) return false;
  return true;
}

interface FileHash {
  readonly path: string;
  readonly sha256: string;
  /** The expected hash; null when unknown. */
  readonly published: string | null;
}

/** Hashes of all weight files, or only of those whose published hash is known. */
async function hashFiles({ checkpoint }: AnyCheckpoint, isAll: boolean, signal: AbortSignal): Promise<FileHash[]> {
  const hashes: FileHash[] = [];
  for (const { path } of checkpoint.files) {
    const published = await publishedHash(path);
    if (published === null && !isAll) continue;
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    hashes.push({ path, sha256: hash.digest("hex"), published });
  }
  return hashes;
}
