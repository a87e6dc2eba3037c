import { HiggsError } from "@higgs-worker/base";
import type { Environment } from "../config/load.ts";
import type { Setting } from "../config/setting.ts";
import { SETTINGS, SETTING_KEYS } from "../config/settings.ts";
import { suggestion } from "../names/nearest-name.ts";

/** Variables for the workers, from the command line. */
export interface WorkerEnvFlags {
  /** `NAME=value`, or `NAME` for the value in the environment or `.env`. */
  readonly assignments: readonly string[];
  /** The variables of `--env-file`; none without one. */
  readonly file: Environment;
}

/** RunPod's form for a secret that is stored there under a name. */
const STORED_SECRET = /^\{\{\s*RUNPOD_SECRET_\w+\s*\}\}$/;
const SECRET_NAME = /KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL/i;
/** Names that are no settings and no secrets either. */
const PLAIN_NAMES: ReadonlySet<string> = new Set(["PORT", "PORT_HEALTH", "HEALTH_CHECK_PATH", "HF_HUB_OFFLINE"]);

const MASK = "***";

/**
 * The variables that the workers get.
 *
 * @param env where `NAME` without a value is looked up
 * @throws {HiggsError} INVALID_INPUT for a name that cannot be a variable, a variable that is not set, a setting whose value
 * is not allowed, an unknown `HIGGS_` name, a secret in the arguments, and the account's own key
 */
export function workerEnv({ assignments, file }: WorkerEnvFlags, env: Environment): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(file)) {
    // Of a file with everything in it, the workers get what is theirs.
    if (value !== undefined && settingOf(name)?.group !== "deployment") variables[name] = checked(name, value);
  }
  for (const assignment of assignments) {
    const { name, value } = split(assignment, env);
    if (settingOf(name)?.group === "deployment") {
      throw refused(`${name} is for deploying only: workers do not need it`);
    }
    variables[name] = checked(name, value);
  }
  return variables;
}

function split(assignment: string, env: Environment): { readonly name: string; readonly value: string } {
  const at = assignment.indexOf("=");
  const name = (at < 0 ? assignment : assignment.slice(0, at)).trim();
  // The text could be a secret that was put in the name's place.
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw refused("--env wants NAME or NAME=value");
  if (at < 0) {
    const value = env[name];
    if (value === undefined || value === "") throw refused(`${name} is set neither in the environment nor in .env`);
    return { name, value };
  }
  const value = assignment.slice(at + 1);
  if (isSecretName(name) && value !== "" && !STORED_SECRET.test(value)) {
    throw refused(
      `${name} is a secret, and every user of this machine can read arguments: set it in the environment or .env and say --env ${name}`,
    );
  }
  return { name, value };
}

function checked(name: string, value: string): string {
  const setting = settingOf(name);
  if (setting === undefined) {
    const known = SETTING_KEYS.flatMap((key) => SETTINGS[key].env as readonly string[]);
    if (name.startsWith("HIGGS_")) throw refused(`${name} is not a setting${suggestion(name, known)}`);
    return value;
  }
  if (value !== "" && !STORED_SECRET.test(value) && setting.parse(value.trim()) === undefined) {
    throw refused(`${name} is not valid (allowed ${setting.allowed})`);
  }
  return value;
}

/** A variable's value for people to see: only settings that are not secret, and references to stored secrets. */
export function shownValue(name: string, value: string): string {
  return value === "" || STORED_SECRET.test(value) || !isSecretName(name, false) ? value : MASK;
}

/** The body of a request with the values of its variables masked. */
export function maskedBody(body: object): object {
  if (!("env" in body) || typeof body.env !== "object" || body.env === null) return body;
  const env = Object.entries(body.env).map(([name, value]) => [name, shownValue(name, String(value))]);
  return { ...body, env: Object.fromEntries(env) };
}

/** @param isKnownByDefault whether an unknown name that does not look like a secret is taken for none */
function isSecretName(name: string, isKnownByDefault = true): boolean {
  const setting = settingOf(name);
  if (setting !== undefined) return setting.isSecret;
  if (PLAIN_NAMES.has(name)) return false;
  return SECRET_NAME.test(name) || !isKnownByDefault;
}

function settingOf(name: string): Setting<unknown> | undefined {
  const key = SETTING_KEYS.find((one) => (SETTINGS[one].env as readonly string[]).includes(name));
  return key === undefined ? undefined : SETTINGS[key];
}

function refused(reason: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "set the workers' variables", reason);
}
