import { SETTING_KEYS, SETTINGS, type Config } from "./settings.ts";

/** The values of all secret settings, and the passwords in them, so that a log can strike them out. */
export function secretsOf(config: Config): string[] {
  const secrets: string[] = [];
  for (const key of SETTING_KEYS) {
    const value = config[key];
    if (!SETTINGS[key].isSecret || typeof value !== "string" || value === "") continue;
    secrets.push(value);
    if (URL.canParse(value) && new URL(value).password !== "")
      secrets.push(decodeURIComponent(new URL(value).password));
  }
  return secrets;
}
