import { kindOf, shown } from "../names/describe-value.ts";
import { suggestion } from "../names/nearest-name.ts";

/** Limits of job fields that the configuration sets. */
export interface InputLimits {
  readonly maxTranscriptChars: number;
  readonly contextLength: number;
}

/** A number, or the setting that gives it. */
type Bound = number | keyof InputLimits;

/** The setting's environment variable, for the documents. */
const LIMIT_NAMES: Readonly<Record<keyof InputLimits, string>> = {
  maxTranscriptChars: "`HIGGS_MAX_TRANSCRIPT_CHARS`",
  contextLength: "`HIGGS_CONTEXT`",
};

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Reports one problem of a field: the rest of a sentence that begins with the field's name. A function is only called if
 * the problem is shown. `path` is the place within the field, as in `[1].url`.
 */
export type ReportProblem = (problem: string | (() => string), path?: string) => void;

/** How `higgs speak` gives a field; its flag is the field's name with dashes. */
export interface FieldFlag {
  /** Placeholder for the value in `--help`, such as `<n>`; null for a switch. */
  readonly placeholder: string | null;
  /** `--no-NAME`, for fields that are on by default. */
  readonly isNegated: boolean;
  readonly help: string;
}

/** One field of the job input. */
export interface JobField<T> {
  readonly kind: "text" | "number" | "truth" | "numbers" | "references";
  readonly isRequired: boolean;
  /** What is allowed, in words, and what it means; Markdown. */
  readonly allowed: string;
  readonly meaning: string;
  /** The default in words; Markdown. */
  readonly defaultText: string;
  /** Null when the command line does not need it. */
  readonly flag: FieldFlag | null;
  /** The value of a field that is missing or null. */
  readonly defaultFor: (limits: InputLimits) => T;
  /** The value, or undefined after reporting why it is not allowed. */
  readonly read: (value: unknown, report: ReportProblem, limits: InputLimits) => T | undefined;
  /** The allowed values, without default and description. */
  readonly jsonSchema: (limits: InputLimits) => JsonSchema;
}

/** The type of a field's checked value. */
export type FieldValue<Field> = Field extends JobField<infer T> ? T : never;

interface Common {
  readonly meaning: string;
  readonly defaultText?: string;
  readonly allowed?: string;
  /** `--help` of the flag's value; no flag without it. */
  readonly placeholder?: string;
  /** Instead of meaning and range. */
  readonly help?: string;
}

type Own<T> = Pick<JobField<T>, "kind" | "allowed" | "defaultFor" | "read" | "jsonSchema"> & {
  readonly defaultText: string;
  readonly isNegated?: boolean;
};

export function field<T>(common: Common, { isNegated = false, ...own }: Own<T>): JobField<T> {
  const { placeholder, help, meaning } = common;
  const allowed = common.allowed ?? own.allowed;
  const isFlag = placeholder !== undefined || help !== undefined;
  const helpText = help ?? `${meaning} (${allowed})`.replaceAll("`", "");
  return {
    ...own,
    isRequired: false,
    meaning,
    allowed,
    defaultText: common.defaultText ?? own.defaultText,
    flag: isFlag ? { placeholder: placeholder ?? null, isNegated, help: helpText } : null,
  };
}

interface TextOptions extends Common {
  readonly maxChars?: Bound;
  /** Pattern of the whole text, and what is wrong with a text that does not match. */
  readonly pattern?: RegExp;
  readonly patternProblem?: string;
  /** Further problems of a text that is short enough. */
  readonly problemsOf?: (text: string) => readonly string[];
}

export function requiredText(options: TextOptions): JobField<string> {
  return { ...textField<string>(options, () => ""), isRequired: true, defaultText: "required" };
}

export function text(options: TextOptions & { readonly defaultValue: string }): JobField<string> {
  return textField<string>(options, () => options.defaultValue, `\`${options.defaultValue}\``);
}

export function optionalText(options: TextOptions): JobField<string | null> {
  return textField<string | null>(options, () => null);
}

function textField<T extends string | null>(
  options: TextOptions,
  defaultFor: () => T,
  defaultText = "none",
): JobField<T | string> {
  const { maxChars, pattern, patternProblem = "is not allowed", problemsOf } = options;
  return field<T | string>(options, {
    kind: "text",
    allowed: maxChars === undefined ? "text" : `text, up to ${boundText(maxChars)} characters`,
    defaultText,
    defaultFor,
    read: (value, report, limits) => {
      if (typeof value !== "string") return refused(report, `must be a string (got ${kindOf(value)})`);
      // Length first: a text that is far too long is not searched for anything else.
      const tooLong = maxChars === undefined ? null : lengthProblem(value, boundOf(maxChars, limits));
      if (tooLong !== null) return refused(report, tooLong);
      if (pattern?.test(value) === false) return refused(report, patternProblem);
      const problems = problemsOf?.(value) ?? [];
      for (const problem of problems) report(problem);
      return problems.length === 0 ? value : undefined;
    },
    jsonSchema: (limits) => ({
      type: "string",
      ...(maxChars === undefined ? {} : { maxLength: boundOf(maxChars, limits) }),
      ...(pattern === undefined ? {} : { pattern: pattern.source }),
    }),
  });
}

export function truth(options: Common & { readonly defaultValue: boolean }): JobField<boolean> {
  return field<boolean>(options, {
    kind: "truth",
    allowed: "`true`, `false`",
    defaultText: `\`${options.defaultValue}\``,
    isNegated: options.defaultValue,
    defaultFor: () => options.defaultValue,
    read: (value, report) =>
      typeof value === "boolean" ? value : refused(report, `must be true or false (got ${kindOf(value)})`),
    jsonSchema: () => ({ type: "boolean" }),
  });
}

/** Null leaves it to other fields. The flag, `--no-NAME`, says false. */
export function optionalTruth(options: Common): JobField<boolean | null> {
  return field<boolean | null>(options, {
    ...truth({ ...options, defaultValue: true }),
    defaultText: "`null`",
    isNegated: true,
    defaultFor: () => null,
  });
}

interface NumberOptions extends Common {
  readonly min: number;
  readonly max: Bound;
  readonly isMinExcluded?: boolean;
  readonly isMaxExcluded?: boolean;
}

export function number(options: NumberOptions & { readonly defaultValue: number }): JobField<number> {
  return numberField<number>(options, "number", () => options.defaultValue, String(options.defaultValue));
}

/** A whole number; the default is at most the largest allowed value. */
export function integer(options: NumberOptions & { readonly defaultValue: number }): JobField<number> {
  const { max, defaultValue } = options;
  const defaultFor = (limits: InputLimits) => Math.min(defaultValue, boundOf(max, limits));
  return numberField<number>(options, "integer", defaultFor, String(defaultValue));
}

export function optionalInteger(options: NumberOptions): JobField<number | null> {
  return numberField<number | null>(options, "integer", () => null, "`null`");
}

export function optionalNumber(options: NumberOptions): JobField<number | null> {
  return numberField<number | null>(options, "number", () => null, "`null`");
}

function numberField<T extends number | null>(
  options: NumberOptions,
  type: "number" | "integer",
  defaultFor: (limits: InputLimits) => T,
  defaultText: string,
): JobField<T | number> {
  const { min, max, isMinExcluded = false, isMaxExcluded = false } = options;
  const expected = type === "integer" ? "a whole number" : "a number";
  const range = (largest: string) =>
    `${isMinExcluded ? "above " : ""}${min} … ${isMaxExcluded ? "below " : ""}${largest}`;
  return field<T | number>(options, {
    kind: "number",
    allowed: range(boundText(max)),
    defaultText,
    defaultFor,
    read: (value, report, limits) => {
      if (typeof value !== "number" || !Number.isFinite(value)) {
        return refused(
          report,
          `must be ${expected} (got ${kindOf(value)})${isNumeric(value) ? ", without quotes" : ""}`,
        );
      }
      if (type === "integer" && !Number.isInteger(value)) return refused(report, `must be ${expected} (got ${value})`);
      const largest = boundOf(max, limits);
      const isAbove = isMinExcluded ? value > min : value >= min;
      const isBelow = isMaxExcluded ? value < largest : value <= largest;
      return isAbove && isBelow
        ? value
        : refused(report, `is out of range (got ${value}, limit ${range(String(largest))})`);
    },
    jsonSchema: (limits) => ({
      type,
      [isMinExcluded ? "exclusiveMinimum" : "minimum"]: min,
      [isMaxExcluded ? "exclusiveMaximum" : "maximum"]: boundOf(max, limits),
    }),
  });
}

export function optionalNumberChoice(
  options: Common & { readonly choices: readonly number[] },
): JobField<number | null> {
  const list = options.choices.join(", ");
  return field<number | null>(options, {
    kind: "number",
    allowed: list,
    defaultText: "`null`",
    defaultFor: () => null,
    read: (value, report) => {
      if (typeof value === "number" && options.choices.includes(value)) return value;
      const got = typeof value === "number" ? String(value) : kindOf(value);
      return refused(report, `must be one of ${list} (got ${got})${isNumeric(value) ? ", without quotes" : ""}`);
    },
    jsonSchema: () => ({ type: "integer", enum: options.choices }),
  });
}

interface NumbersOptions<Name extends string> extends Common {
  readonly names: readonly Name[];
  readonly min: number;
  readonly max: number;
}

/** Numbers by name, each of which may be missing or null. */
export function optionalNumbers<const Name extends string>(
  options: NumbersOptions<Name>,
): JobField<Partial<Readonly<Record<Name, number>>> | null> {
  const { names, min, max } = options;
  const range = `${min} … ${boundText(max)}`;
  return field<Partial<Readonly<Record<Name, number>>> | null>(options, {
    kind: "numbers",
    allowed: `object with any of ${names.map((name) => `\`${name}\``).join(", ")}, each ${range}`,
    defaultText: "`null`",
    defaultFor: () => null,
    read: (value, report) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        return refused(report, `must be an object with any of ${names.join(", ")} (got ${kindOf(value)})`);
      }
      const numbers: Partial<Record<Name, number>> = {};
      let problems = 0;
      const problem = (text: string | (() => string), path?: string): void => {
        problems++;
        report(text, path);
      };
      for (const [given, own] of Object.entries(value)) {
        const name = names.find((known) => known === given);
        if (name === undefined) {
          problem(() => `has no ${shown(given)}, only ${names.join(", ")}${suggestion(given, names)}`);
        } else if (typeof own !== "number" || !Number.isFinite(own)) {
          if (own !== null) problem(`must be a number (got ${kindOf(own)})`, `.${name}`);
        } else if (own < min || own > max) {
          problem(`is out of range (got ${own}, limit ${min} … ${max})`, `.${name}`);
        } else {
          numbers[name] = own;
        }
      }
      return problems === 0 ? numbers : undefined;
    },
    jsonSchema: () => ({
      type: "object",
      properties: Object.fromEntries(
        names.map((name) => [name, { type: ["number", "null"], minimum: min, maximum: max }]),
      ),
      additionalProperties: false,
    }),
  });
}

interface ChoiceOptions<T> extends Common {
  readonly choices: readonly T[];
  /** How messages list the choices. */
  readonly choicesText?: string;
}

export function choice<const T extends string>(options: ChoiceOptions<T> & { readonly defaultValue: T }): JobField<T> {
  const { defaultValue } = options;
  return choiceField<T>(options, {}, () => defaultValue, `\`${defaultValue}\``);
}

/** `nullWords` are other spellings of null. */
export function optionalChoice<const T extends string>(
  options: ChoiceOptions<T> & { readonly nullWords: readonly string[] },
): JobField<T | null> {
  const aliases = Object.fromEntries(options.nullWords.map((word) => [word, null]));
  return choiceField<T | null>(options, aliases, () => null, "`null`");
}

function choiceField<T extends string | null>(
  options: ChoiceOptions<Exclude<T, null>>,
  aliases: Readonly<Record<string, T>>,
  defaultFor: () => T,
  defaultText: string,
): JobField<T> {
  const { choices } = options;
  const words: readonly string[] = [...choices, ...Object.keys(aliases)];
  return field<T>(options, {
    kind: "text",
    allowed: words.map((word) => `\`${word}\``).join(", "),
    defaultText,
    defaultFor,
    read: (value, report) => {
      const chosen = choices.find((word) => word === value);
      if (chosen !== undefined) return chosen;
      const alias = typeof value === "string" && Object.hasOwn(aliases, value) ? aliases[value] : undefined;
      if (alias !== undefined) return alias;
      const list = options.choicesText ?? `one of ${choices.join(", ")}`;
      return refused(
        report,
        () => `must be ${list} (got ${shown(value)})${typeof value === "string" ? suggestion(value, words) : ""}`,
      );
    },
    jsonSchema: () => ({ type: "string", enum: words }),
  });
}

function refused(report: ReportProblem, problem: string | (() => string)): undefined {
  report(problem);
}

function boundOf(bound: Bound, limits: InputLimits): number {
  return typeof bound === "number" ? bound : limits[bound];
}

function boundText(bound: Bound): string {
  return typeof bound === "number" ? String(bound).replaceAll(/\B(?=(?:\d{3})+$)/g, " ") : LIMIT_NAMES[bound];
}

/** Counts characters, not UTF-16 units. */
function lengthProblem(value: string, limit: number): string | null {
  if (value.length <= limit) return null;
  // A character has at most two units, so there is no need to count here.
  if (value.length > 2 * limit) return `is too long (got ${value.length} characters, limit ${limit})`;
  let pairs = 0;
  for (let index = 1; index < value.length; index++) {
    if (isIn(value.charCodeAt(index), 0xdc00) && isIn(value.charCodeAt(index - 1), 0xd800)) pairs++;
  }
  const characters = value.length - pairs;
  return characters <= limit ? null : `is too long (got ${characters} characters, limit ${limit})`;
}

/** Whether a code unit is one of the 1024 surrogates from `first` on. */
function isIn(codeUnit: number, first: number): boolean {
  return codeUnit >= first && codeUnit < first + 0x400;
}

function isNumeric(value: unknown): boolean {
  return typeof value === "string" && value.length < 32 && value.trim() !== "" && Number.isFinite(Number(value));
}
