import { DEPLOYMENT_SETTINGS } from "./settings/deployment.ts";
import { ENVIRONMENT_SETTINGS } from "./settings/environment.ts";
import { MODEL_SETTINGS } from "./settings/model.ts";
import { REPORTING_SETTINGS } from "./settings/reporting.ts";
import { STORAGE_SETTINGS } from "./settings/storage.ts";
import { WORKER_SETTINGS } from "./settings/worker.ts";
import type { Setting, SettingTable } from "./setting.ts";

/**
 * Every setting. Types, checks, `--help` and docs/CONFIG.md come from this table. The variables that RunPod sets
 * for the job loop (`RUNPOD_*`) belong to the package `runpod-worker` and are read there.
 */
export const SETTINGS = {
  ...MODEL_SETTINGS,
  ...WORKER_SETTINGS,
  ...STORAGE_SETTINGS,
  ...DEPLOYMENT_SETTINGS,
  ...REPORTING_SETTINGS,
  ...ENVIRONMENT_SETTINGS,
} as const satisfies SettingTable;

export type SettingKey = keyof typeof SETTINGS;

/** All settings with their values, checked and frozen. */
export type Config = {
  readonly [Key in SettingKey]: (typeof SETTINGS)[Key] extends Setting<infer Value> ? Value : never;
};

/** The keys in the order of the table. */
export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];
