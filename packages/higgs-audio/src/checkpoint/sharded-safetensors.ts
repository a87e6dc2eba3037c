import { basename, dirname, join } from "node:path";
import { isHiggsError } from "@higgs-worker/base";
import { corrupt, quote } from "./checkpoint-error.ts";
import { CheckpointFile, readSmallFile } from "./checkpoint-file.ts";
import { FileTensorSource, hashStructure, type LocatedTensor } from "./file-tensor-source.ts";
import { MAX_JSON_BYTES, MAX_SHARDS, MAX_TENSORS } from "./limits.ts";
import { locateSafetensors } from "./safetensors.ts";
import { isJsonObject, parseJsonObject } from "./strict-json.ts";
import type { TensorSource } from "./tensor-source.ts";

/** A plain file name: no folder, no drive, no leading dot, so that an index cannot point out of its folder. */
const SHARD_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;

/**
 * Opens the shards that a `model.safetensors.index.json` names. The index must agree with the shards in both directions;
 * `metadata.total_size` is not used, tools disagree on what it counts.
 *
 * @throws {HiggsError} MODEL_CORRUPT when a shard is missing or the index does not match the shards
 */
export async function openShardedSafetensors(indexPath: string): Promise<TensorSource> {
  const shardOf = await readIndex(indexPath);
  const files = await openShards(indexPath, [...new Set(shardOf.values())].sort());
  try {
    const located = await locateAll(basename(indexPath), files, shardOf);
    return new FileTensorSource(files, located, hashStructure(located.values()));
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

/** Tensor name → shard file name. */
async function readIndex(indexPath: string): Promise<ReadonlyMap<string, string>> {
  const name = basename(indexPath);
  const index = parseJsonObject(await readSmallFile(indexPath, MAX_JSON_BYTES), name);
  const weightMap = index["weight_map"];
  if (!isJsonObject(weightMap)) throw corrupt(name, "it has no weight_map");
  const shardOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    if (typeof shard !== "string" || !SHARD_NAME.test(shard)) {
      throw corrupt(name, `the shard of tensor ${quote(tensor)} is not a file name (got ${quote(String(shard))})`);
    }
    shardOf.set(tensor, shard);
  }
  if (shardOf.size === 0) throw corrupt(name, "its weight_map is empty");
  if (shardOf.size > MAX_TENSORS) {
    throw corrupt(name, `it has too many tensors (got ${shardOf.size}, limit ${MAX_TENSORS})`);
  }
  return shardOf;
}

async function openShards(indexPath: string, shards: readonly string[]): Promise<CheckpointFile[]> {
  const name = basename(indexPath);
  if (shards.length > MAX_SHARDS)
    throw corrupt(name, `it has too many shards (got ${shards.length}, limit ${MAX_SHARDS})`);
  const results = await Promise.allSettled(shards.map((shard) => CheckpointFile.open(join(dirname(indexPath), shard))));
  const files = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (failures.length === 0) return files;
  await Promise.all(files.map((file) => file.close()));
  const other = failures.find((error) => !(isHiggsError(error) && error.code === "MODEL_NOT_FOUND"));
  if (other !== undefined) throw other;
  const missing = shards.filter((_, index) => results[index]?.status === "rejected");
  throw corrupt(
    name,
    `${missing.length} of its ${shards.length} shards are missing (${missing.map(quote).join(", ")})`,
  );
}

async function locateAll(
  indexName: string,
  files: readonly CheckpointFile[],
  shardOf: ReadonlyMap<string, string>,
): Promise<Map<string, LocatedTensor>> {
  const located = new Map<string, LocatedTensor>();
  for (const file of files) {
    for (const [name, tensor] of await locateSafetensors(file)) {
      if (shardOf.get(name) !== file.name) {
        throw corrupt(indexName, `tensor ${quote(name)} is in ${quote(file.name)}, where the index does not list it`);
      }
      located.set(name, tensor);
    }
  }
  for (const [name, shard] of shardOf) {
    if (!located.has(name)) throw corrupt(indexName, `tensor ${quote(name)} is not in ${quote(shard)}`);
  }
  return located;
}
