import { type Command, Option } from "commander";
import { flagKeys, helpText } from "./config/describe.ts";
import type { SettingFlags } from "./config/load.ts";
import type { SettingGroup } from "./config/setting.ts";
import { SETTINGS, type SettingKey } from "./config/settings.ts";

/** Takes the exit code of a command that has run. */
export type Finish = (exitCode: number) => void;

/** What commander has read of a command's flags. */
export type Flags = Readonly<Record<string, unknown>>;

export function isJson(flags: Flags): boolean {
  return flags["json"] === true;
}

/** Adds the flags of some groups of settings; the function returned picks their texts out of the parsed flags. */
export function addSettings(command: Command, groups: readonly SettingGroup[]): (flags: Flags) => SettingFlags {
  const keys = new Map<string, SettingKey>();
  for (const key of flagKeys(groups)) {
    const { flag, placeholder } = SETTINGS[key];
    const option = new Option(`${flag ?? ""} <${placeholder}>`, helpText(key)).helpGroup("Settings:");
    keys.set(option.attributeName(), key);
    command.addOption(option);
  }
  return (flags) =>
    Object.fromEntries(
      [...keys].flatMap(([attribute, key]) => {
        const text = flags[attribute];
        return typeof text === "string" ? [[key, text]] : [];
      }),
    );
}

/** Adds `--json`, and an example at the end of the help. */
export function withJsonAndExample(command: Command, example: string): void {
  command.option("--json", "print JSON", false).addHelpText("after", `\nExample:\n  ${example}`);
}
