import { Option, type Command } from "commander";
import type { FieldFlag, JobField } from "./job/job-field.ts";
import { JOB_FIELD_ENTRIES } from "./job/job-fields.ts";

interface SpeechFlag {
  /** Field of the job input. */
  readonly field: string;
  readonly kind: JobField<unknown>["kind"];
  readonly option: Option;
}

/** The fields of the job input that have a flag. */
function speechFlags(): SpeechFlag[] {
  return JOB_FIELD_ENTRIES.flatMap(([field, { kind, flag }]) =>
    flag === null ? [] : [{ field, kind, option: optionOf(field, flag) }],
  );
}

function optionOf(field: string, { placeholder, isNegated, help }: FieldFlag): Option {
  const name = field.replaceAll("_", "-");
  if (placeholder !== null) return new Option(`--${name} ${placeholder}`, help).helpGroup("Speech:");
  if (isNegated) return new Option(`--no-${name}`, help).helpGroup("Speech:");
  return new Option(`--${name}`, help).default(false).helpGroup("Speech:");
}

/** Adds the flags; their values are checked later with the job's table. */
export function addSpeechFields(command: Command): void {
  for (const { option } of speechFlags()) command.addOption(option);
  command.addOption(
    new Option("--ref-transcript <text>", "what is said in the --ref-audio file or URL").helpGroup("Speech:"),
  );
  command.addOption(
    new Option("--ref-allow-loopback", "allow --ref-audio URLs on this machine, including http")
      .default(false)
      .helpGroup("Speech:"),
  );
}

function toNumber(value: string): number | string {
  return value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : value;
}

/** `a=1,b=2` as an object. */
function toNumbers(value: string): Record<string, number | string> | string {
  const entries = value.split(",").map((part) => part.split("=").map((word) => word.trim()));
  if (entries.some((entry) => entry.length !== 2)) return value;
  return Object.fromEntries(entries.map(([name = "", number = ""]) => [name, toNumber(number)]));
}

/** The given fields. What is not a number stays text, so that the job's check reports it. */
export function speechFieldsOf(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { field, kind, option } of speechFlags()) {
    const value = flags[option.attributeName()];
    if (typeof value === "boolean" && value === !option.negate) fields[field] = value;
    if (typeof value !== "string") continue;
    fields[field] = kind === "number" ? toNumber(value) : kind === "numbers" ? toNumbers(value) : value;
  }
  return fields;
}
