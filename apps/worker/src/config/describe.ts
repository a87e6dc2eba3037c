import type { Setting, SettingGroup } from "./setting.ts";
import { SETTINGS, SETTING_KEYS, type SettingKey } from "./settings.ts";

const GROUP_TITLES: Readonly<Record<SettingGroup, string>> = {
  model: "Model and device",
  worker: "Worker",
  limits: "Limits",
  storage: "Storage",
  deployment: "Deployment: `higgs deploy`, `higgs volume`",
  general: "General",
  "other tools": "Variables of other tools",
};

/** The keys of some groups that have a flag, in the order of the table. */
export function flagKeys(groups: readonly SettingGroup[]): SettingKey[] {
  return SETTING_KEYS.filter((key) => SETTINGS[key].flag !== null && groups.includes(SETTINGS[key].group));
}

/** One line for `--help`. */
export function helpText(key: SettingKey): string {
  const setting: Setting<unknown> = SETTINGS[key];
  const allowed = setting.placeholder === "NAME" || setting.placeholder === "N" ? `: ${setting.allowed}` : "";
  return `${setting.description}${allowed} (env ${setting.env[0]}, default ${setting.defaultText})`;
}

/** docs/CONFIG.md, complete. */
export function configMarkdown(): string {
  const sections = Object.entries(GROUP_TITLES).map(([group, title]) => {
    const keys = SETTING_KEYS.filter((key) => SETTINGS[key].group === group);
    return [
      `## ${title}`,
      "",
      "| Variable | Flag | Allowed | Default | Meaning |",
      "|---|---|---|---|---|",
      ...keys.map(row),
    ].join("\n");
  });
  return [
    "<!-- Generated from apps/worker/src/config/settings.ts by `npm run docs:generate`; do not edit. -->",
    "# Configuration",
    "",
    "Every setting is an environment variable and a flag of the commands that use it; a flag overrides the environment.",
    "Secrets have no flag, because every user of a machine can read a process's arguments.",
    "An empty variable counts as not set. An invalid value prevents the start; the message names the variable, the value",
    "and what is allowed. An unknown `HIGGS_` variable causes a warning with the nearest name.",
    "",
    ...sections.flatMap((section) => [section, ""]),
  ].join("\n");
}

function row(key: SettingKey): string {
  const setting: Setting<unknown> = SETTINGS[key];
  const names = setting.env.map((name) => `\`${name}\``).join(", else ");
  const flag = setting.flag === null ? "" : `\`${setting.flag} ${setting.placeholder}\``;
  const allowed = setting.isSecret ? `${setting.allowed}, secret` : setting.allowed;
  const defaultText =
    setting.defaultText === String(setting.defaultValue) ? `\`${setting.defaultText}\`` : setting.defaultText;
  return `| ${[names, flag, allowed, defaultText, setting.description].map(escapeCell).join(" | ")} |`;
}

function escapeCell(cell: string): string {
  return cell.replaceAll("|", "\\|");
}
