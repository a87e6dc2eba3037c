import { createHash } from "node:crypto";
import { basename } from "node:path";
import { Checkpoint } from "./checkpoint.ts";
import { findCheckpointFiles, type CheckpointFiles, type WeightFileKind } from "./checkpoint-files.ts";
import { readSmallFile } from "./checkpoint-file.ts";
import { parseCodecConfig, type CodecConfig } from "./codec-config.ts";
import { isIgnorableCodecTensor, listCodecTensors } from "./codec-tensors.ts";
import { detectCodecLayout, detectLmLayout } from "./detect-layout.ts";
import { detectOrigin } from "./detect-revision.ts";
import { MAX_JSON_BYTES } from "./limits.ts";
import { parseHiggsConfig, type HiggsConfig } from "./lm-config.ts";
import { isIgnorableLmTensor, listLmTensors, TEXT_HEAD } from "./lm-tensors.ts";
import { openSafetensors } from "./safetensors.ts";
import { openShardedSafetensors } from "./sharded-safetensors.ts";
import { parseJsonObject, type JsonObject } from "./strict-json.ts";
import { planTensors, type CheckpointTensor, type ExpectedTensor } from "./tensor-plan.ts";
import type { TensorSource } from "./tensor-source.ts";
import { openTorchFile } from "./torch/torch-file.ts";

export type LmCheckpoint = Checkpoint<HiggsConfig>;
export type CodecCheckpoint = Checkpoint<CodecConfig>;

/**
 * Opens a generation model in either layout, from a folder with `config.json` and the weights (one safetensors file, or shards
 * with an index), or from a Hugging Face cache folder. Reads headers only.
 *
 * @throws {HiggsError} MODEL_NOT_FOUND when there is no checkpoint
 * @throws {HiggsError} MODEL_CORRUPT when a file is damaged
 * @throws {HiggsError} MODEL_UNSUPPORTED listing all problems of the configuration or the tensors
 * @throws {HiggsError} VOLUME_UNAVAILABLE when a file cannot be read
 */
export async function openCheckpoint(directory: string): Promise<LmCheckpoint> {
  return open("the generation model", directory, (raw, source, files) => {
    const layout = detectLmLayout(raw, source.tensors);
    const origin = detectOrigin(files.directory, source.files);
    const config = parseHiggsConfig(raw, layout, origin.modelName);
    return { config, origin, expected: listLmTensors(config, layout), isIgnorable: isIgnorableLmTensor };
  });
}

/**
 * Opens an audio tokenizer in either layout: safetensors, or the boson layout's `model.pth`. Otherwise as `openCheckpoint`.
 */
export async function openCodec(directory: string): Promise<CodecCheckpoint> {
  return open("the audio tokenizer", directory, (raw, source, files) => {
    const layout = detectCodecLayout(source.tensors);
    const origin = detectOrigin(files.directory, source.files);
    const config = parseCodecConfig(raw, layout, source.tensors);
    return { config, origin, expected: listCodecTensors(config), isIgnorable: isIgnorableCodecTensor };
  });
}

interface Description<TConfig> {
  readonly config: TConfig;
  readonly origin: Checkpoint<HiggsConfig>["origin"];
  readonly expected: readonly ExpectedTensor[];
  readonly isIgnorable: (name: string) => boolean;
}

async function open<TConfig extends HiggsConfig | CodecConfig>(
  what: string,
  directory: string,
  describe: (raw: JsonObject, source: TensorSource, files: CheckpointFiles) => Description<TConfig>,
): Promise<Checkpoint<TConfig>> {
  const files = await findCheckpointFiles(what, directory);
  const configBytes = await readSmallFile(files.configPath, MAX_JSON_BYTES);
  const raw = parseJsonObject(configBytes, "config.json");
  const source = await OPENERS[files.format](files.weightsPath);
  try {
    const { config, origin, expected, isIgnorable } = describe(raw, source, files);
    const planned = planTensors(what, expected, source.tensors, isIgnorable);
    return new Checkpoint(source, {
      directory: files.directory,
      config,
      origin,
      sourceHash: hashSource(configBytes, source),
      tensors: select(planned, (name) => name !== TEXT_HEAD),
      optionalTensors: select(planned, (name) => name === TEXT_HEAD),
    });
  } catch (error) {
    await source.close();
    throw error;
  }
}

const OPENERS: Readonly<Record<WeightFileKind, (path: string) => Promise<TensorSource>>> = {
  safetensors: openSafetensors,
  "sharded-safetensors": openShardedSafetensors,
  torch: openTorchFile,
};

function hashSource(configBytes: Uint8Array, source: TensorSource): string {
  const files = source.files.map(({ path, sizeBytes, modifiedMs }) => [
    basename(path),
    sizeBytes,
    Math.floor(modifiedMs),
  ]);
  const hash = createHash("sha256").update(JSON.stringify([source.structureHash, files]));
  return hash.update(configBytes).digest("hex");
}

function select(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  isWanted: (name: string) => boolean,
): ReadonlyMap<string, CheckpointTensor> {
  return new Map([...tensors].filter(([name]) => isWanted(name)));
}
