import type { LanguageRules, SpokenTime, Words } from "../language-rules.ts";
import { monthName, monthNumbers, monthPattern } from "./month-names.ts";
import { agreementByNoun, masculineUnit, wordSet, type NounEndings } from "./nouns.ts";

const NOUNS: NounEndings = {
  feminine: /(?:a|zione|sione|tà|tù|gine|trice)$|^(?:notte|parte|mano|foto|voce|luce|classe|auto|moglie|madre)$/u,
  exceptions:
    /^(?:problema|tema|programma|sistema|pianeta|poeta|clima|grammo|dramma|poema|diploma|pigiama|cinema|chilogramma)$/u,
  notNouns: wordSet("e o è a ad da di del in con su per tra fra la le il lo i gli che non ma si un una"),
};

/** Italian. */
export function italian(region: string): LanguageRules {
  const locale = `it-${region}`;
  const months = monthNumbers(locale);
  const ordinal = (value: number, words: Words, gender: "masculine" | "feminine"): string =>
    words.bySet(value, `%spellout-ordinal-${gender}`);
  return {
    locale,
    ruleFile: "it",
    sets: {
      alone: "%spellout-numbering",
      masculine: "%spellout-cardinal-masculine",
      feminine: "%spellout-cardinal-feminine",
    },
    yearSet: null,
    space: " ",
    digits: ["zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"],
    comma: "virgola",
    point: "punto",
    readsFractionAsNumber: true,
    minus: "meno",
    plus: "più",
    range: " a ",
    ratio: " a ",
    and: "e",
    percent: (number) => `${number} per cento`,
    permille: (number) => `${number} per mille`,
    links: {
      "@": "chiocciola",
      ".": "punto",
      "/": "barra",
      "-": "trattino",
      _: "trattino basso",
      ":": "due punti",
      "?": "punto interrogativo",
      "=": "uguale",
      "&": "e",
      "#": "cancelletto",
      "%": "per cento",
      "+": "più",
      "~": "tilde",
    },
    isDayFirst: true,
    date: ({ year, month, day }, words) =>
      [
        day === null ? "" : day === 1 ? "primo" : words.cardinal(day),
        monthName(locale, month),
        year === null ? "" : words.year(year),
      ]
        .filter((part) => part !== "")
        .join(" "),
    time,
    timePattern: /(?<=\bore )([01]?\d|2[0-4])\.([0-5]\d)(?![\d.,])/uy,
    currencies: {
      USD: { one: "dollaro", many: "dollari", agreement: "masculine", cent: { one: "centesimo", many: "centesimi" } },
      EUR: { one: "euro", many: "euro", agreement: "masculine", cent: { one: "centesimo", many: "centesimi" } },
      GBP: { one: "sterlina", many: "sterline", agreement: "feminine", cent: { one: "penny", many: "pence" } },
      JPY: { one: "yen", many: "yen", agreement: "masculine", cent: null },
      CNY: { one: "yuan", many: "yuan", agreement: "masculine", cent: null },
      KRW: { one: "won", many: "won", agreement: "masculine", cent: null },
      CHF: { one: "franco", many: "franchi", agreement: "masculine", cent: { one: "centesimo", many: "centesimi" } },
    },
    signs: { $: "USD", "¥": "JPY" },
    cents: { join: " e ", areNamed: true },
    ofMillions: (noun) => `di ${noun}`,
    scales: {
      mila: ["mila", "mila"],
      mln: ["milione", "milioni"],
      mld: ["miliardo", "miliardi"],
      milione: ["milione", "milioni"],
      milioni: ["milione", "milioni"],
      miliardo: ["miliardo", "miliardi"],
      miliardi: ["miliardo", "miliardi"],
    },
    units: {
      "m²": masculineUnit("metro quadrato", "metri quadrati"),
      "km²": masculineUnit("chilometro quadrato", "chilometri quadrati"),
      "m³": masculineUnit("metro cubo", "metri cubi"),
      mg: masculineUnit("milligrammo", "milligrammi"),
      Hz: masculineUnit("hertz", "hertz"),
      kHz: masculineUnit("chilohertz", "chilohertz"),
      MHz: masculineUnit("megahertz", "megahertz"),
      GHz: masculineUnit("gigahertz", "gigahertz"),
      W: masculineUnit("watt", "watt"),
      kW: masculineUnit("chilowatt", "chilowatt"),
      kWh: masculineUnit("chilowattora", "chilowattora"),
      V: masculineUnit("volt", "volt"),
    },
    feminineUnits: new Set(["hour", "yard", "tonne", "ounce", "pound"]),
    agreement: (value, after) => {
      if (value !== 1) return "alone";
      const agreement = agreementByNoun(after, NOUNS);
      // "uno" before z, s with a consonant and the like.
      return agreement === "masculine" && /^(?:z|x|y|gn|ps|pn|s[^aeiouàèéìòù])/u.test(after) ? "alone" : agreement;
    },
    isYear: () => false,
    fraction: (numerator, denominator, words) => {
      const part = denominator === 2 ? "mezzo" : ordinal(denominator, words, "masculine");
      return numerator === 1 ? `un ${part}` : `${words.cardinal(numerator)} ${part.slice(0, -1)}i`;
    },
    readers: (words) => [
      {
        pattern: new RegExp(`1[º°]?(?= (?:${monthPattern(months)})(?!\\p{L}))`, "iuy"),
        say: () => "primo",
      },
      {
        pattern: /(\d{1,12})(?:º(?![\p{L}CF])|°(?= \p{Ll}{3}))/uy,
        say: ([, digits = ""]) => ordinal(Number(digits), words, "masculine"),
      },
      { pattern: /(\d{1,12})ª(?!\p{L})/uy, say: ([, digits = ""]) => ordinal(Number(digits), words, "feminine") },
      { pattern: /n[°.º] ?(?=\d)/iuy, say: () => "numero " },
    ],
  };
}

function time({ hour, minute, second }: SpokenTime, words: Words): string {
  const spokenHour = words.cardinal(hour, "feminine");
  if (minute === 0 && second === null) return hour === 0 || hour === 24 ? "mezzanotte" : spokenHour;
  const seconds = second === null ? "" : ` e ${words.cardinal(second)} ${second === 1 ? "secondo" : "secondi"}`;
  return `${spokenHour} e ${words.cardinal(minute)}${seconds}`;
}
