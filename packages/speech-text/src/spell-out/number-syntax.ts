import type { WrittenNumber } from "./number-words.ts";

/** Spaces that stand between a number and its unit, or between groups of digits. */
export const SPACES = " \\u00A0\\u202F\\u2009";

/** No part of a longer token follows: neither a Latin letter nor more of a number. */
export const NUMBER_END = "(?![\\p{Script=Latin}\\d_]|[.,:]\\d)";

/** How a language writes numbers with digits. */
export interface NumberSyntax {
  /** For a pattern, without groups; matches 1,234.5 and the like. */
  readonly source: string;
  readonly parse: (text: string) => WrittenNumber;
}

/** By the signs for groups and decimals that Intl has for the locale. */
export function numberSyntax(locale: string): NumberSyntax {
  const parts = new Intl.NumberFormat(locale, { useGrouping: "always" }).formatToParts(1234567.8);
  const sign = parts.find(({ type }) => type === "decimal")?.value === "," ? "," : ".";
  const group = parts.find(({ type }) => type === "group")?.value ?? "";
  // A space for groups has many forms and is right wherever the decimal sign is a comma.
  const groups = groupSigns(group, sign);
  // India has groups of two above the thousands: 12,34,567.
  const hasPairs = parts
    .filter(({ type }) => type === "integer")
    .some(({ value }, index) => index > 0 && value.length === 2);
  const grouped = `\\d{1,3}${hasPairs ? `(?:${groups}\\d{2})*` : ""}(?:${groups}\\d{3})+(?!\\d)(?:[${sign}]\\d+)?`;
  const decimal = `\\d+[${sign}]\\d+`;
  // A point where a comma is usual: 3.14 in a German text.
  const foreign = sign === "," ? `|\\d+\\.\\d+` : "";
  const isGrouped = new RegExp(`^${grouped}$`, "u");
  const everyGroup = new RegExp(groups, "gu");
  return {
    source: `(?:${grouped}|${decimal}${foreign}|\\d+)`,
    parse: (text) => {
      const plain = isGrouped.test(text) ? withoutGroups(text, sign, everyGroup) : text;
      const [integer = "", fraction = null] = plain.split(/[.,]/u);
      return { isNegative: false, integer, fraction, sign: plain.includes(",") ? "," : "." };
    },
  };
}

function groupSigns(group: string, sign: "." | ","): string {
  const spaces = sign === "," ? SPACES : SPACES.trim();
  if (/['’]/u.test(group)) return `[${spaces}'’]`;
  return /\s/u.test(group) ? `[${spaces}.]` : `[${spaces}${group}]`;
}

function withoutGroups(text: string, sign: "." | ",", groups: RegExp): string {
  const [integer = "", fraction] = text.split(sign);
  return integer.replaceAll(groups, "") + (fraction === undefined ? "" : `${sign}${fraction}`);
}
