import { HiggsError } from "@higgs-worker/base";
import { suggestion } from "../names/nearest-name.ts";
import type { Setting } from "./setting.ts";
import { SETTINGS, SETTING_KEYS, type Config, type SettingKey } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Texts of the command line's flags, by the key of their setting. */
export type SettingFlags = Readonly<Partial<Record<SettingKey, string | undefined>>>;

export interface LoadedConfig {
  readonly config: Config;
  /** Sentences for the log; never secret. */
  readonly warnings: readonly string[];
}

/** Longest value shown in a message. */
const MAX_SHOWN_CHARS = 80;

/**
 * Reads all settings: a flag overrides the environment, which overrides the default. An empty variable counts as not set.
 *
 * @throws {HiggsError} INVALID_INPUT when values are invalid; names all of them, secrets without their value
 */
export function loadConfig(env: Environment, flags: SettingFlags = {}): LoadedConfig {
  const problems: string[] = [];
  const values: Partial<Record<SettingKey, unknown>> = {};
  for (const key of SETTING_KEYS) {
    const setting: Setting<unknown> = SETTINGS[key];
    const given = givenText(setting, env, flags[key]);
    if (given === null) {
      values[key] = setting.defaultValue;
      continue;
    }
    const value = setting.parse(given.text);
    if (value === undefined) problems.push(describeProblem(setting, given));
    else values[key] = value;
  }
  if (problems.length > 0) throw new HiggsError("INVALID_INPUT", "start", problems.join("; "), { problems });
  return { config: Object.freeze(values) as Config, warnings: unknownVariables(env) };
}

/** A single setting, for what must be known even if others are invalid; an invalid value counts as not set. */
export function readSetting<Key extends SettingKey>(key: Key, env: Environment, flags: SettingFlags): Config[Key] {
  const setting: Setting<unknown> = SETTINGS[key];
  const given = givenText(setting, env, flags[key]);
  const value = given === null ? undefined : setting.parse(given.text);
  return (value ?? setting.defaultValue) as Config[Key];
}

interface GivenText {
  readonly text: string;
  /** The flag or the variable that it came from. */
  readonly source: string;
}

function givenText(setting: Setting<unknown>, env: Environment, flagText: string | undefined): GivenText | null {
  if (flagText !== undefined && setting.flag !== null) return { text: flagText.trim(), source: setting.flag };
  for (const name of setting.env) {
    const text = env[name]?.trim();
    if (text !== undefined && text !== "") return { text, source: name };
    // Someone meant to set a key: without one the server would be open.
    if (setting.isSecret && env[name] !== undefined && env[name] !== "") return { text: "", source: name };
  }
  return null;
}

function describeProblem(setting: Setting<unknown>, { text, source }: GivenText): string {
  const shown = text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
  const got = setting.isSecret ? "" : `got ${JSON.stringify(shown)}, `;
  return `${source} is not valid (${got}allowed ${setting.allowed})`;
}

function unknownVariables(env: Environment): string[] {
  const known = new Set(SETTING_KEYS.flatMap((key) => SETTINGS[key].env as readonly string[]));
  return Object.keys(env)
    .filter((name) => name.startsWith("HIGGS_") && !known.has(name))
    .sort()
    .map((name) => `${name} is not a setting${suggestion(name, known)}`);
}
