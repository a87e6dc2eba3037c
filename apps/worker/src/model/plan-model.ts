import type { MemoryPlan } from "@higgs-worker/higgs-audio";
import {
  chooseFormat,
  chooseLibrary,
  compileCacheVariables,
  memoryNeedsOf,
  type MemoryRoom,
  openCheckpoint,
  openCodec,
  planMemory,
  readHostMemory,
  servedKvTypes,
  tensorsInFormat,
} from "@higgs-worker/higgs-audio/parts";
import type { Environment } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";
import { cacheDirOf } from "./cache-dir.ts";
import { deviceOptions } from "./devices.ts";
import { findModel } from "./locations.ts";

interface PlanContext {
  readonly logger: Logger;
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** The memory plan of the model that a worker would load here, without loading it; null when there is none, or no device. */
export async function planModel(config: Config, context: PlanContext): Promise<MemoryPlan | null> {
  try {
    const found = findModel(config, { allowDemo: true });
    const room = await roomOf(config, context);
    await using checkpoint = await openCheckpoint(found.modelPath);
    await using codec = await openCodec(found.tokenizerPath);
    const kind = room.isHost ? "cpu" : "gpu";
    const format =
      config.weights === "auto" ? chooseFormat({ kind, memoryFreeBytes: room.freeBytes }, checkpoint) : config.weights;
    const needs = memoryNeedsOf({
      config: checkpoint.config,
      tensors: tensorsInFormat(checkpoint, format),
      codec: codec.config,
      contextLength: config.contextLength,
      kvTypes: servedKvTypes({ kind }),
      isHost: room.isHost,
    });
    return planMemory(needs, room, config.maxBatch);
  } catch {
    // The checks of model and device say why.
    return null;
  }
}

async function roomOf(config: Config, { logger, env, signal }: PlanContext): Promise<MemoryRoom> {
  const { device, tried } = await chooseLibrary({
    ...deviceOptions(config, logger),
    allowCpu: true,
    environment: { ...env, ...compileCacheVariables(env, cacheDirOf(config)) },
    signal,
    onNotice: () => undefined,
  });
  if (device === "cpu" || tried === null || tried === undefined) return { ...readHostMemory(), isHost: true };
  return { freeBytes: tried.memoryFreeBytes, totalBytes: tried.memoryTotalBytes, isHost: false };
}
