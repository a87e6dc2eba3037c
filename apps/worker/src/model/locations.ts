import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import type { Config } from "../config/settings.ts";
import { findSnapshot } from "./hub-cache.ts";

/** The published repositories, boson layout first (spec model §1). */
const REPOSITORIES = [
  { model: "bosonai/higgs-audio-v2-generation-3B-base", tokenizer: "bosonai/higgs-audio-v2-tokenizer" },
  { model: "eustlb/higgs-audio-v2-generation-3B-base", tokenizer: "eustlb/higgs-audio-v2-tokenizer" },
] as const;

const TOKENIZER_FOLDER = "higgs-audio-v2-tokenizer";

/** The checkpoint that ships in the repository; this file is as deep in `dist` as in `src`. */
const DEMO_CHECKPOINT_DIR = join(import.meta.dirname, "..", "..", "..", "..", "demo-checkpoint", "checkpoint");

export type ModelSource = "setting" | "volume" | "runpod cache" | "hub cache" | "demo";

/** One place that is searched for a checkpoint. */
export interface ModelLocation {
  readonly source: ModelSource;
  /** Human-readable name of the place. */
  readonly label: string;
  readonly path: string;
  readonly isFound: boolean;
}

export interface ModelPlaces {
  readonly model: readonly ModelLocation[];
  readonly tokenizer: readonly ModelLocation[];
}

export interface FoundModel {
  readonly modelPath: string;
  readonly tokenizerPath: string;
  readonly source: ModelSource;
}

export interface FindModelOptions {
  /** Local commands may fall back to the demo checkpoint; the production worker never does. */
  readonly allowDemo: boolean;
  /** Only set by tests. */
  readonly demoDir?: string;
}

/** All places in search order (spec contract §5), found or not. A place counts as found if it has a config.json. */
export function modelPlaces(config: Config, options: FindModelOptions): ModelPlaces {
  const hubs = hubDirs(config);
  const volume = join(config.volumeDir, "higgs_audio", "bosonai");
  const demoDir = options.demoDir ?? DEMO_CHECKPOINT_DIR;
  const inHub = (kind: "model" | "tokenizer") =>
    hubs.flatMap(({ source, label, dir }) =>
      REPOSITORIES.map((names) => {
        const path = findSnapshot(dir, names[kind]) ?? join(dir, `models--${names[kind].replace("/", "--")}`);
        return place(source, `${label}, ${names[kind]}`, path);
      }),
    );
  return {
    model: [
      ...(config.modelPath === null ? [] : [place("setting", "--model or HIGGS_MODEL_PATH", config.modelPath)]),
      place("volume", "network volume", join(volume, "higgs-audio-v2-generation-3B-base")),
      ...inHub("model"),
      ...(options.allowDemo ? [place("demo", "demo checkpoint of the repository", demoDir)] : []),
    ],
    tokenizer: [
      ...(config.tokenizerPath === null
        ? []
        : [place("setting", "--tokenizer or HIGGS_TOKENIZER_PATH", config.tokenizerPath)]),
      place("volume", "network volume", join(volume, TOKENIZER_FOLDER)),
      ...inHub("tokenizer"),
    ],
  };
}

/**
 * The first model in search order and its codec: the one that is set, else one beside or inside the model, else the first
 * in search order. A path that is set but has no checkpoint ends the search, so that a typo never runs another model.
 *
 * @throws {HiggsError} MODEL_NOT_FOUND when no place has one, or the one that is set has none
 */
export function findModel(config: Config, options: FindModelOptions): FoundModel {
  const places = modelPlaces(config, options);
  const model = firstFound(places.model, "model", "HIGGS_MODEL_PATH");
  const neighbors = [join(model.path, "codec"), join(dirname(model.path), TOKENIZER_FOLDER)];
  const neighbor = config.tokenizerPath === null ? neighbors.find(hasCheckpoint) : undefined;
  const tokenizerPath = neighbor ?? firstFound(places.tokenizer, "audio tokenizer", "HIGGS_TOKENIZER_PATH").path;
  return { modelPath: model.path, tokenizerPath, source: model.source };
}

function firstFound(places: readonly ModelLocation[], what: string, variable: string): ModelLocation {
  const set = places.find((location) => location.source === "setting");
  if (set !== undefined && !set.isFound) {
    throw new HiggsError(
      "MODEL_NOT_FOUND",
      `find the ${what}`,
      `${set.label} names a folder without config.json (got ${set.path})`,
    );
  }
  const found = places.find((location) => location.isFound);
  if (found !== undefined) return found;
  const searched = places.map((location) => location.path).join(", ");
  throw new HiggsError(
    "MODEL_NOT_FOUND",
    `find the ${what}`,
    `${variable} is not set and no other place has it (searched ${searched})`,
  );
}

/** Hugging Face's cache of checkpoints, there or not; null when there is no home folder. */
export function hubCacheDirOf(config: Config): string | null {
  const cacheDir = config.xdgCacheDir ?? (config.homeDir === null ? null : join(config.homeDir, ".cache"));
  const hubHomeDir = config.hubHomeDir ?? (cacheDir === null ? null : join(cacheDir, "huggingface"));
  return config.hubCacheDir ?? (hubHomeDir === null ? null : join(hubHomeDir, "hub"));
}

function hubDirs(config: Config): { readonly source: ModelSource; readonly label: string; readonly dir: string }[] {
  const hubDir = hubCacheDirOf(config);
  const runpodDir = join(config.volumeDir, "huggingface-cache", "hub");
  return [
    { source: "runpod cache" as const, label: "RunPod's cached model", dir: runpodDir },
    ...(hubDir === null || hubDir === runpodDir
      ? []
      : [{ source: "hub cache" as const, label: "Hugging Face cache", dir: hubDir }]),
  ];
}

function place(source: ModelSource, label: string, path: string): ModelLocation {
  return { source, label, path, isFound: hasCheckpoint(path) };
}

function hasCheckpoint(path: string): boolean {
  return existsSync(join(path, "config.json"));
}
