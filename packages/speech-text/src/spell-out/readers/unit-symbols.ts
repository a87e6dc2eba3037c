import type { LanguageRules } from "../language-rules.ts";

/** Symbols of the units that Intl has names for. */
export const INTL_UNITS: Readonly<Record<string, string>> = {
  "km/h": "kilometer-per-hour",
  mph: "mile-per-hour",
  "m/s": "meter-per-second",
  km: "kilometer",
  m: "meter",
  cm: "centimeter",
  mm: "millimeter",
  kg: "kilogram",
  g: "gram",
  l: "liter",
  L: "liter",
  ml: "milliliter",
  mL: "milliliter",
  "°C": "celsius",
  "℃": "celsius",
  "°F": "fahrenheit",
  "°": "degree",
  TB: "terabyte",
  GB: "gigabyte",
  MB: "megabyte",
  kB: "kilobyte",
  KB: "kilobyte",
  "Mbit/s": "megabit-per-second",
  ft: "foot",
  lb: "pound",
  lbs: "pound",
  oz: "ounce",
  mi: "mile",
  ha: "hectare",
  ms: "millisecond",
  s: "second",
  min: "minute",
  h: "hour",
};

/** For a pattern: the symbols, longest first. */
export function unitPattern(rules: LanguageRules): string {
  const symbols = new Set([...Object.keys(INTL_UNITS), ...Object.keys(rules.units)]);
  return [...symbols].toSorted((a, b) => b.length - a.length).join("|");
}
