import type { LanguageRules, SpokenDate, SpokenTime, Words } from "../language-rules.ts";
import type { Reader } from "../reader.ts";
import { monthName, monthNumbers, monthPattern } from "./month-names.ts";

/** Before a year. */
const YEAR_CUES = new Set(
  "in since from until till by year years circa early late mid after before around during summer winter spring autumn fall january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec ad".split(
    " ",
  ),
);

/** Behind a number that counts nothing. */
const FUNCTION_WORDS = new Set(
  "and or to was were is are has had the a an in on at by of for from when while until till but as that which who with he she it they we i".split(
    " ",
  ),
);

/** English as it is spoken in the United States (hundred ten, month before day) or elsewhere (hundred and ten, day before month). */
export function english(region: string): LanguageRules {
  const isAmerican = ["US", "CA", "PH", "PR"].includes(region);
  const locale = `en-${region}`;
  const verbose = isAmerican ? "" : "-verbose";
  const cardinal = `%spellout-cardinal${verbose}`;
  const ordinal = (words: Words, value: number): string => words.bySet(value, `%spellout-ordinal${verbose}`);

  function date({ year, month, day }: SpokenDate, words: Words, before: string): string {
    const name = monthName(locale, month);
    const spokenYear = year === null ? "" : words.year(year);
    if (day === null) return `${name} ${spokenYear}`.trim();
    if (isAmerican && before !== "the")
      return `${name} ${ordinal(words, day)}${spokenYear === "" ? "" : ", "}${spokenYear}`;
    return `${before === "the" ? "" : "the "}${ordinal(words, day)} of ${name} ${spokenYear}`.trim();
  }

  return {
    locale,
    ruleFile: region === "IN" ? "en-IN" : "en",
    sets: { alone: cardinal, masculine: cardinal, feminine: cardinal },
    yearSet: "%spellout-numbering-year",
    // Commas of CLDR's long form are for reading, not for hearing.
    revise: (words) => words.replaceAll(",", ""),
    space: " ",
    digits: ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    comma: "comma",
    point: "point",
    readsFractionAsNumber: false,
    minus: "minus",
    plus: "plus",
    range: " to ",
    ratio: " to ",
    and: "and",
    percent: (number) => `${number} percent`,
    permille: (number) => `${number} per mille`,
    links: {
      "@": "at",
      ".": "dot",
      "/": "slash",
      "-": "dash",
      _: "underscore",
      ":": "colon",
      "?": "question mark",
      "=": "equals",
      "&": "and",
      "#": "hash",
      "%": "percent",
      "+": "plus",
      "~": "tilde",
    },
    isDayFirst: !isAmerican,
    date: (value, words, { before }) => date(value, words, before),
    time,
    currencies: {
      USD: dollars("dollar"),
      EUR: { one: "euro", many: "euros", agreement: "alone", cent: { one: "cent", many: "cents" } },
      GBP: { one: "pound", many: "pounds", agreement: "alone", cent: { one: "penny", many: "pence" } },
      JPY: { one: "yen", many: "yen", agreement: "alone", cent: null },
      CNY: { one: "yuan", many: "yuan", agreement: "alone", cent: null },
      KRW: { one: "won", many: "won", agreement: "alone", cent: null },
      CHF: { one: "Swiss franc", many: "Swiss francs", agreement: "alone", cent: null },
      INR: { one: "rupee", many: "rupees", agreement: "alone", cent: { one: "paisa", many: "paise" } },
      BRL: { one: "real", many: "reais", agreement: "alone", cent: null },
      CAD: dollars("Canadian dollar"),
      AUD: dollars("Australian dollar"),
    },
    signs: { $: "USD", "¥": "JPY" },
    cents: { join: " and ", areNamed: true },
    ofMillions: (noun) => noun,
    scales: {
      k: ["thousand", "thousand"],
      m: ["million", "million"],
      mn: ["million", "million"],
      bn: ["billion", "billion"],
      b: ["billion", "billion"],
      thousand: ["thousand", "thousand"],
      million: ["million", "million"],
      billion: ["billion", "billion"],
      trillion: ["trillion", "trillion"],
    },
    units: {
      "m²": { one: "square meter", many: "square meters", agreement: "alone" },
      "km²": { one: "square kilometer", many: "square kilometers", agreement: "alone" },
      "m³": { one: "cubic meter", many: "cubic meters", agreement: "alone" },
      mg: { one: "milligram", many: "milligrams", agreement: "alone" },
      Hz: { one: "hertz", many: "hertz", agreement: "alone" },
      kHz: { one: "kilohertz", many: "kilohertz", agreement: "alone" },
      MHz: { one: "megahertz", many: "megahertz", agreement: "alone" },
      GHz: { one: "gigahertz", many: "gigahertz", agreement: "alone" },
      W: { one: "watt", many: "watts", agreement: "alone" },
      kW: { one: "kilowatt", many: "kilowatts", agreement: "alone" },
      kWh: { one: "kilowatt hour", many: "kilowatt hours", agreement: "alone" },
      V: { one: "volt", many: "volts", agreement: "alone" },
    },
    feminineUnits: new Set(),
    agreement: () => "alone",
    isYear: ({ before, after }) =>
      YEAR_CUES.has(before) || !/^\p{Ll}{2,}/u.test(after) || FUNCTION_WORDS.has(after.toLowerCase()),
    fraction: (numerator, denominator, words) => {
      const names: Readonly<Record<number, readonly [string, string]>> = {
        2: ["half", "halves"],
        4: ["quarter", "quarters"],
      };
      const part = ordinal(words, denominator);
      const [one, many] = names[denominator] ?? [part, `${part}s`];
      return `${words.cardinal(numerator)} ${numerator === 1 ? one : many}`;
    },
    readers: (words) => ownReaders(words, ordinal, date, locale),
  };
}

function dollars(name: string): LanguageRules["currencies"][string] {
  return { one: name, many: `${name}s`, agreement: "alone", cent: { one: "cent", many: "cents" } };
}

function time({ hour, minute, second, half }: SpokenTime, words: Words): string {
  const suffix = half === null ? "" : half === "am" ? " a.m." : " p.m.";
  const seconds = second === null ? "" : ` and ${words.cardinal(second)} ${second === 1 ? "second" : "seconds"}`;
  if (minute === 0 && half !== null) return `${words.cardinal(hour)}${seconds}${suffix}`;
  if (minute === 0 && second === null) {
    if (hour === 0 || hour === 24) return "midnight";
    return `${words.cardinal(hour)} ${hour > 12 ? "hundred" : "o'clock"}`;
  }
  const minutes = minute < 10 ? `oh ${words.cardinal(minute)}` : words.cardinal(minute);
  return `${words.cardinal(hour)} ${minutes}${seconds}${suffix}`;
}

function ownReaders(
  words: Words,
  ordinal: (words: Words, value: number) => string,
  date: (value: SpokenDate, words: Words, before: string) => string,
  locale: string,
): readonly Reader[] {
  const months = new Map([...monthNumbers(locale), ["sept", 9]]);
  const names = monthPattern(months);
  const dateOf = (day: string, name: string, year: string | undefined): SpokenDate => ({
    day: Number(day),
    month: months.get(name.toLowerCase()) ?? 1,
    year: year === undefined ? null : Number(year),
  });
  const isDay = (day: string): boolean => Number(day) >= 1 && Number(day) <= 31;
  return [
    {
      pattern: new RegExp(`(\\d{1,2})(?:st|nd|rd|th)? (?:of )?(${names})\\b\\.?(?:,? (\\d{4})(?![\\p{L}\\d]))?`, "iuy"),
      say: ([, day = "", name = "", year], { before }) =>
        isDay(day) ? date(dateOf(day, name, year), words, before) : null,
    },
    {
      pattern: new RegExp(
        `(${names})\\b\\.? (\\d{1,2})(?:st|nd|rd|th)?(?![\\p{L}\\d:%]|\\.\\d)(?:,? (\\d{4})(?![\\p{L}\\d]))?`,
        "iuy",
      ),
      say: ([, name = "", day = "", year], { before }) => {
        // "may 5 people" is no date.
        if (!isDay(day) || !/^\p{Lu}/u.test(name)) return null;
        return date(dateOf(day, name, year), words, before);
      },
    },
    {
      pattern: /(\d{1,12}|\d{1,3}(?:,\d{3}){1,4})(?:st|nd|rd|th)(?![\p{L}\d])/iuy,
      say: ([, digits = ""]) => ordinal(words, Number(digits.replaceAll(",", ""))),
    },
    {
      pattern: /['’]?(\d{2}|\d{4})['’]?s(?![\p{L}\d])/uy,
      say: ([, digits = ""]) => (digits.endsWith("0") ? decade(words, Number(digits)) : null),
    },
    { pattern: /#(\d{1,15})(?![\p{L}\d])/uy, say: ([, digits = ""]) => `number ${words.integer(digits)}` },
    {
      pattern: /(\d)['’′](\d{1,2})(?:["”″]|(?!\p{L}))/uy,
      say: ([, feet = "", inches = ""]) => `${words.integer(feet)} foot ${words.integer(inches)}`,
    },
    { pattern: /\u00A7 ?(?=\d)/uy, say: () => "section " },
    { pattern: /No\. ?(?=\d)/uy, say: () => "number " },
    { pattern: /24\/7(?![\p{L}\d/])/uy, say: () => "twenty-four seven" },
  ];
}

/** 1980 is "nineteen eighties", 90 is "nineties". */
function decade(words: Words, value: number): string {
  const spoken = value >= 1000 ? words.year(value) : words.cardinal(value);
  return spoken.endsWith("y") ? `${spoken.slice(0, -1)}ies` : `${spoken}s`;
}
