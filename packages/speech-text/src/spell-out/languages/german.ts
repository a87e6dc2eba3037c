import type { LanguageRules, SpokenTime, Words } from "../language-rules.ts";
import type { Reader } from "../reader.ts";
import { monthName, monthNumbers, monthPattern } from "./month-names.ts";

/** Before an ordinal that ends with -n: "am dritten", "des zweiten". */
const OBLIQUE = new Set(
  "am im vom zum zur beim bis dem den des ab seit nach einem einen unserem unseren seinem seinen ihrem ihren meinem meinen jedem jeden".split(
    " ",
  ),
);

/** Before an ordinal that ends with -e: "der dritte". */
const DIRECT = new Set("der die das jede diese".split(" "));

/** Nouns in -e and these ends are feminine, most of them. */
const FEMININE_NOUN = /(?:e|ung|heit|keit|schaft|ion|tät|in|Frau|Stadt|Nacht|Hand|Person|Mal?zeit|Uhr|Bank)$/u;

/** German of Germany, Austria or Switzerland. */
export function german(region: string): LanguageRules {
  const locale = `de-${region}`;
  const ordinal = (value: number, before: string, words: Words): string => {
    if (OBLIQUE.has(before)) return words.bySet(value, "%spellout-ordinal-n");
    return words.bySet(value, DIRECT.has(before) ? "%spellout-ordinal" : "%spellout-ordinal-r");
  };
  return {
    locale,
    ruleFile: region === "CH" || region === "LI" ? "de-CH" : "de",
    sets: {
      alone: "%spellout-numbering",
      masculine: "%spellout-cardinal-masculine",
      feminine: "%spellout-cardinal-feminine",
    },
    yearSet: "%spellout-numbering-year",
    space: " ",
    digits: ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
    comma: "Komma",
    point: "Punkt",
    readsFractionAsNumber: false,
    minus: "minus",
    plus: "plus",
    range: " bis ",
    ratio: " zu ",
    and: "und",
    percent: (number, isOne) => `${isOne ? "ein" : number} Prozent`,
    permille: (number) => `${number} Promille`,
    links: {
      "@": "at",
      ".": "Punkt",
      "/": "Schrägstrich",
      "-": "Bindestrich",
      _: "Unterstrich",
      ":": "Doppelpunkt",
      "?": "Fragezeichen",
      "=": "gleich",
      "&": "und",
      "#": "Raute",
      "%": "Prozent",
      "+": "plus",
      "~": "Tilde",
    },
    isDayFirst: true,
    date: ({ year, month, day }, words, { before }) =>
      [day === null ? "" : ordinal(day, before, words), monthName(locale, month), year === null ? "" : words.year(year)]
        .filter((part) => part !== "")
        .join(" "),
    time,
    timePattern: /([01]?\d|2[0-4])[.:]([0-5]\d)(?::([0-5]\d))? ?Uhr(?!\p{L})|([01]?\d|2[0-4]) ?Uhr(?!\p{L})/uy,
    currencies: {
      USD: { one: "Dollar", many: "Dollar", agreement: "masculine", cent: { one: "Cent", many: "Cent" } },
      EUR: { one: "Euro", many: "Euro", agreement: "masculine", cent: { one: "Cent", many: "Cent" } },
      GBP: { one: "Pfund", many: "Pfund", agreement: "masculine", cent: { one: "Penny", many: "Pence" } },
      JPY: { one: "Yen", many: "Yen", agreement: "masculine", cent: null },
      CNY: { one: "Yuan", many: "Yuan", agreement: "masculine", cent: null },
      KRW: { one: "Won", many: "Won", agreement: "masculine", cent: null },
      CHF: { one: "Franken", many: "Franken", agreement: "masculine", cent: { one: "Rappen", many: "Rappen" } },
    },
    signs: { $: "USD", "¥": "JPY" },
    cents: { join: " ", areNamed: false },
    ofMillions: (noun) => noun,
    scales: {
      tsd: ["tausend", "tausend"],
      mio: ["Million", "Millionen"],
      mrd: ["Milliarde", "Milliarden"],
      million: ["Million", "Millionen"],
      millionen: ["Million", "Millionen"],
      milliarde: ["Milliarde", "Milliarden"],
      milliarden: ["Milliarde", "Milliarden"],
      billion: ["Billion", "Billionen"],
      billionen: ["Billion", "Billionen"],
    },
    units: {
      "m²": { one: "Quadratmeter", many: "Quadratmeter", agreement: "masculine" },
      "km²": { one: "Quadratkilometer", many: "Quadratkilometer", agreement: "masculine" },
      "m³": { one: "Kubikmeter", many: "Kubikmeter", agreement: "masculine" },
      mg: { one: "Milligramm", many: "Milligramm", agreement: "masculine" },
      Hz: { one: "Hertz", many: "Hertz", agreement: "masculine" },
      kHz: { one: "Kilohertz", many: "Kilohertz", agreement: "masculine" },
      MHz: { one: "Megahertz", many: "Megahertz", agreement: "masculine" },
      GHz: { one: "Gigahertz", many: "Gigahertz", agreement: "masculine" },
      W: { one: "Watt", many: "Watt", agreement: "masculine" },
      kW: { one: "Kilowatt", many: "Kilowatt", agreement: "masculine" },
      kWh: { one: "Kilowattstunde", many: "Kilowattstunden", agreement: "feminine" },
      V: { one: "Volt", many: "Volt", agreement: "masculine" },
    },
    feminineUnits: new Set(["mile", "hour", "minute", "second", "millisecond", "tonne", "ounce", "mile-per-hour"]),
    agreement: (value, after) => {
      if (value !== 1 || !/^\p{Lu}\p{Ll}/u.test(after)) return "alone";
      return FEMININE_NOUN.test(after) ? "feminine" : "masculine";
    },
    // Both readings are usual for counts, so only a noun that is counted makes it one.
    isYear: ({ before, after }) =>
      /^(?:jahr|jahre|jahres|jahren|in|seit|ab|anno|um|von|bis|ende|anfang|mitte|januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember)$/u.test(
        before,
      ) || !/^\p{Lu}\p{Ll}/u.test(after),
    fraction: (numerator, denominator, words) => {
      if (denominator === 2) return numerator === 1 ? "ein halb" : `${words.cardinal(numerator)} halbe`;
      const part = `${words.bySet(denominator, "%spellout-ordinal")}l`;
      return `${words.cardinal(numerator, "masculine")} ${part.charAt(0).toUpperCase()}${part.slice(1)}`;
    },
    readers: (words) => ownReaders(words, ordinal, locale),
  };
}

function time({ hour, minute, second }: SpokenTime, words: Words): string {
  const minutes = minute === 0 && second === null ? "" : ` ${words.cardinal(minute)}`;
  const seconds =
    second === null ? "" : ` und ${words.cardinal(second, "feminine")} ${second === 1 ? "Sekunde" : "Sekunden"}`;
  return `${words.cardinal(hour, "masculine")} Uhr${minutes}${seconds}`;
}

function ownReaders(
  words: Words,
  ordinal: (value: number, before: string, words: Words) => string,
  locale: string,
): readonly Reader[] {
  const months = monthNumbers(locale);
  return [
    {
      pattern: new RegExp(`(\\d{1,2})\\. ?(${monthPattern(months)})(?!\\p{L})\\.?`, "iuy"),
      say: ([, day = "", name = ""], { before }) => {
        const month = months.get(name.toLowerCase());
        if (month === undefined || Number(day) < 1 || Number(day) > 31) return null;
        // "am ersten und zweiten Mai"
        return `${ordinal(Number(day), before === "und" ? "am" : before, words)} ${monthName(locale, month)}`;
      },
    },
    {
      // An ordinal stands behind an article or such; elsewhere the point may end the sentence.
      pattern: /(\d{1,12})\.(?= \p{L})/uy,
      say: ([, digits = ""], { before }) =>
        OBLIQUE.has(before) || DIRECT.has(before) ? ordinal(Number(digits), before, words) : null,
    },
    {
      pattern: /(\d{2}|\d{4})er(?!\p{L})/uy,
      say: ([, digits = ""]) =>
        `${digits.length === 4 ? words.year(Number(digits)) : words.cardinal(Number(digits))}er`,
    },
    { pattern: /\u00A7(\u00A7?) ?(?=\d)/uy, say: ([, second]) => (second === "" ? "Paragraf " : "Paragrafen ") },
    { pattern: /Nr\. ?(?=\d)/uy, say: () => "Nummer " },
    { pattern: /#(\d{1,15})(?![\p{L}\d])/uy, say: ([, digits = ""]) => `Nummer ${words.integer(digits)}` },
  ];
}
