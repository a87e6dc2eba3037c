/** Linux has 108 bytes for it, one of which ends the text; macOS has four less. */
const MAX_SOCKET_PATH_BYTES = 103;

/** One setting of the environment and the command line. */
export interface Setting<T> {
  /** Names of environment variables; the first that is set wins, and the first is the one that messages use. */
  readonly env: readonly [string, ...string[]];
  /** `--name`; null for secrets (every user of a machine can read a process's arguments) and variables of other tools. */
  readonly flag: string | null;
  /** Placeholder for the value in `--help`. */
  readonly placeholder: string;
  readonly group: SettingGroup;
  readonly description: string;
  readonly defaultValue: T;
  /** The default in words, if the value does not say it. */
  readonly defaultText: string;
  /** What is allowed, in words, for messages and the table in the docs. */
  readonly allowed: string;
  readonly isSecret: boolean;
  /** The value of a text from outside, or undefined when it is not allowed. */
  readonly parse: (text: string) => T | undefined;
}

/** Settings by the names that the code has for them. */
export type SettingTable = Readonly<Record<string, Setting<string | number | boolean | object | null>>>;

export type SettingGroup = "model" | "worker" | "limits" | "storage" | "deployment" | "general" | "other tools";

interface Common {
  readonly env: readonly [string, ...string[]];
  readonly flag?: string;
  readonly group: SettingGroup;
  readonly description: string;
  readonly defaultText?: string;
}

function setting<T>(
  common: Common,
  own: Pick<Setting<T>, "placeholder" | "defaultValue" | "allowed" | "parse">,
): Setting<T> {
  const { defaultValue } = own;
  return {
    flag: null,
    isSecret: false,
    defaultText: defaultValue === null ? "not set" : String(defaultValue),
    ...common,
    ...own,
  };
}

export function text(common: Common & { readonly placeholder?: string }): Setting<string | null>;
export function text(
  common: Common & { readonly placeholder?: string; readonly defaultValue: string },
): Setting<string>;
export function text(
  common: Common & { readonly placeholder?: string; readonly defaultValue?: string },
): Setting<string | null> {
  return setting<string | null>(common, {
    placeholder: common.placeholder ?? "TEXT",
    defaultValue: common.defaultValue ?? null,
    allowed: "text",
    parse: (value) => value,
  });
}

export function directory(common: Common): Setting<string | null>;
export function directory(common: Common & { readonly defaultValue: string }): Setting<string>;
export function directory(common: Common & { readonly defaultValue?: string }): Setting<string | null> {
  return setting<string | null>(common, {
    placeholder: "DIR",
    defaultValue: common.defaultValue ?? null,
    allowed: "a folder",
    parse: (value) => (value.includes("\0") ? undefined : value),
  });
}

/** Path of a Unix socket, whose length the system limits. */
export function socketPath(common: Common): Setting<string | null> {
  return setting<string | null>(common, {
    placeholder: "FILE",
    defaultValue: null,
    allowed: `a path of at most ${MAX_SOCKET_PATH_BYTES} bytes`,
    parse: (value) => (value.includes("\0") || Buffer.byteLength(value) > MAX_SOCKET_PATH_BYTES ? undefined : value),
  });
}

/** The path of a file. */
export function file(common: Common): Setting<string | null> {
  return { ...directory(common), placeholder: "FILE", allowed: "a file" };
}

/** Items with commas between them, each once. */
export function list(
  common: Common & { readonly allowed: string; readonly isItem: (item: string) => boolean },
): Setting<readonly string[]> {
  return setting<readonly string[]>(
    { ...common, defaultText: common.defaultText ?? "none" },
    {
      placeholder: "LIST",
      defaultValue: [],
      allowed: common.allowed,
      parse: (value) => {
        const items = value.split(",").map((item) => item.trim());
        const given = [...new Set(items.filter((item) => item !== ""))];
        return given.every(common.isItem) ? given : undefined;
      },
    },
  );
}

/** Whether a text is an origin as browsers send it, or `*`. */
export function isOrigin(value: string): boolean {
  if (value === "*") return true;
  return (
    URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && new URL(value).origin === value.toLowerCase()
  );
}

export function secret(common: Omit<Common, "flag">): Setting<string | null> {
  const shown = text({ ...common, placeholder: "SECRET" });
  return { ...shown, allowed: "text that is not blank", parse: (value) => value || undefined, isSecret: true };
}

export function url(common: Common): Setting<string | null> {
  return setting<string | null>(common, {
    placeholder: "URL",
    defaultValue: null,
    allowed: "an http:// or https:// address",
    parse: (value) => (URL.canParse(value) && /^https?:\/\//i.test(value) ? value : undefined),
  });
}

/** The address of a proxy, which may hold a password; `host:port` means `http://host:port`. */
export function proxyUrl(common: Common): Setting<string | null> {
  return {
    ...setting<string | null>(common, {
      placeholder: "URL",
      defaultValue: null,
      allowed: "an http:// or https:// address of a proxy",
      parse: (value) => {
        const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
        return URL.canParse(address) && /^https?:\/\//i.test(address) ? address : undefined;
      },
    }),
    isSecret: true,
  };
}

/** One of a few words; `aliases` are other spellings of them. Upper and lower case are the same. */
export function choice<const T extends string>(
  common: Common & {
    readonly choices: readonly T[];
    readonly aliases?: Readonly<Record<string, T>>;
    readonly defaultValue: T;
  },
): Setting<T> {
  const aliases = Object.entries(common.aliases ?? {});
  return setting<T>(common, {
    placeholder: "NAME",
    defaultValue: common.defaultValue,
    allowed: [...common.choices, ...aliases.map(([alias, target]) => `${alias} (= ${target})`)].join(", "),
    parse: (value) => {
      const word = value.toLowerCase();
      return common.choices.find((known) => known === word) ?? aliases.find(([alias]) => alias === word)?.[1];
    },
  });
}

/** A JSON object that `check` makes a value of; `undefined` when it is not allowed. */
export function jsonObject<T extends object>(
  common: Common & { readonly allowed: string; readonly check: (value: object) => T | undefined },
): Setting<T> {
  return setting<T>(
    { ...common, defaultText: common.defaultText ?? "none" },
    {
      placeholder: "JSON",
      defaultValue: {} as T,
      allowed: common.allowed,
      parse: (value) => {
        try {
          const parsed: unknown = JSON.parse(value);
          const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
          return isObject ? common.check(parsed) : undefined;
        } catch {
          return undefined;
        }
      },
    },
  );
}

export function integer(
  common: Common & { readonly min: number; readonly max: number; readonly defaultValue: number },
): Setting<number> {
  return setting<number>(common, {
    placeholder: "N",
    defaultValue: common.defaultValue,
    allowed: `${common.min} … ${common.max}`,
    parse: (value) => {
      const number = Number(value);
      const isAllowed = /^[+-]?\d+$/.test(value) && number >= common.min && number <= common.max;
      return isAllowed ? number : undefined;
    },
  });
}

/** A whole number, or the word `auto`, which is the default. */
export function integerOrAuto(
  common: Common & { readonly min: number; readonly max: number },
): Setting<number | "auto"> {
  const number = integer({ ...common, defaultValue: common.min });
  return setting<number | "auto">(common, {
    placeholder: "N",
    defaultValue: "auto",
    allowed: `auto, ${number.allowed}`,
    parse: (value) => (value.toLowerCase() === "auto" ? "auto" : number.parse(value)),
  });
}

/** true, false, or null for automatic. */
export function truth(common: Common): Setting<boolean | null> {
  return setting<boolean | null>(common, {
    placeholder: "BOOL",
    defaultValue: null,
    allowed: "true, false",
    parse: (value) => {
      if (/^(true|yes|on|1)$/i.test(value)) return true;
      return /^(false|no|off|0)$/i.test(value) ? false : undefined;
    },
  });
}
