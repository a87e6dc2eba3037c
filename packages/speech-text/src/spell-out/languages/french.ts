import type { LanguageRules, SpokenTime, Words } from "../language-rules.ts";
import { monthName, monthNumbers, monthPattern } from "./month-names.ts";
import { agreementByNoun, masculineUnit, wordSet, type NounEndings } from "./nouns.ts";

const NOUNS: NounEndings = {
  feminine:
    /^(?:fois|heure|minute|seconde|page|personne|femme|fille|année|semaine|journée|nuit|ville|voiture|maison|tasse|pièce|chambre|table|bouteille|part|place|image|étoile|chose|carte|lettre|ligne|porte|rue|vie|livre sterling|main|mère|sœur|copie|photo|vidéo|question|réponse|erreur|\p{L}+(?:tion|sion|ée|ette|esse|ure|ance|ence|té|ie|trice|euse))s?$/u,
  exceptions: /^(?:comité|côté|été|traité|musée|lycée|génie|murmure|silence)s?$/u,
  notNouns: wordSet("et ou est sont à de du des le la les un une en dans sur par pour avec qui que mais ce il elle on"),
};

/** French: of France, or with septante and nonante in Belgium and Switzerland. */
export function french(region: string): LanguageRules {
  const locale = `fr-${region}`;
  const ordinal = (value: number, words: Words, gender: "masculine" | "feminine"): string =>
    words.bySet(value, `%spellout-ordinal-${gender}`);
  const months = monthNumbers(locale);
  return {
    locale,
    ruleFile: region === "BE" || region === "CH" ? `fr-${region}` : "fr",
    sets: {
      alone: "%spellout-cardinal-masculine",
      masculine: "%spellout-cardinal-masculine",
      feminine: "%spellout-cardinal-feminine",
    },
    yearSet: null,
    space: " ",
    digits: ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
    // CLDR has "quatre-vingt-et-unième" and "cent-et-unième", where no "et" is said.
    revise: (words) => words.replace("quatre-vingt-et-", "quatre-vingt-").replace("cent-et-", "cent "),
    pairsInPhones: true,
    comma: "virgule",
    point: "point",
    readsFractionAsNumber: true,
    minus: "moins",
    plus: "plus",
    range: " à ",
    ratio: " à ",
    and: "et",
    percent: (number) => `${number} pour cent`,
    permille: (number) => `${number} pour mille`,
    links: {
      "@": "arobase",
      ".": "point",
      "/": "slash",
      "-": "tiret",
      _: "tiret bas",
      ":": "deux-points",
      "?": "point d'interrogation",
      "=": "égal",
      "&": "et",
      "#": "dièse",
      "%": "pour cent",
      "+": "plus",
      "~": "tilde",
    },
    isDayFirst: true,
    date: ({ year, month, day }, words) =>
      [
        day === null ? "" : day === 1 ? "premier" : words.cardinal(day),
        monthName(locale, month),
        year === null ? "" : words.year(year),
      ]
        .filter((part) => part !== "")
        .join(" "),
    time,
    timePattern: /([01]?\d|2[0-4]) ?h(?: ?([0-5]\d))?(?: ?min)?(?![\p{L}\d/])/uy,
    currencies: {
      USD: { one: "dollar", many: "dollars", agreement: "masculine", cent: { one: "cent", many: "cents" } },
      EUR: { one: "euro", many: "euros", agreement: "masculine", cent: { one: "centime", many: "centimes" } },
      GBP: { one: "livre", many: "livres", agreement: "feminine", cent: { one: "penny", many: "pence" } },
      JPY: { one: "yen", many: "yens", agreement: "masculine", cent: null },
      CNY: { one: "yuan", many: "yuans", agreement: "masculine", cent: null },
      KRW: { one: "won", many: "wons", agreement: "masculine", cent: null },
      CHF: { one: "franc", many: "francs", agreement: "masculine", cent: { one: "centime", many: "centimes" } },
      CAD: { one: "dollar", many: "dollars", agreement: "masculine", cent: { one: "cent", many: "cents" } },
    },
    signs: { $: "USD", "¥": "JPY" },
    cents: { join: " ", areNamed: false },
    ofMillions: (noun) => (/^[aeiouyéèêh]/iu.test(noun) ? `d'${noun}` : `de ${noun}`),
    scales: {
      k: ["mille", "mille"],
      m: ["million", "millions"],
      md: ["milliard", "milliards"],
      mille: ["mille", "mille"],
      million: ["million", "millions"],
      millions: ["million", "millions"],
      milliard: ["milliard", "milliards"],
      milliards: ["milliard", "milliards"],
      billion: ["billion", "billions"],
      billions: ["billion", "billions"],
    },
    units: {
      "m²": masculineUnit("mètre carré", "mètres carrés"),
      "km²": masculineUnit("kilomètre carré", "kilomètres carrés"),
      "m³": masculineUnit("mètre cube", "mètres cubes"),
      mg: masculineUnit("milligramme", "milligrammes"),
      Hz: masculineUnit("hertz", "hertz"),
      kHz: masculineUnit("kilohertz", "kilohertz"),
      MHz: masculineUnit("mégahertz", "mégahertz"),
      GHz: masculineUnit("gigahertz", "gigahertz"),
      W: masculineUnit("watt", "watts"),
      kW: masculineUnit("kilowatt", "kilowatts"),
      kWh: masculineUnit("kilowattheure", "kilowattheures"),
      V: masculineUnit("volt", "volts"),
    },
    feminineUnits: new Set(["hour", "minute", "second", "millisecond", "tonne", "ounce", "pound"]),
    agreement: (_value, after) => agreementByNoun(after, NOUNS),
    isYear: () => false,
    fraction: (numerator, denominator, words) => {
      const names: Readonly<Record<number, string>> = { 2: "demi", 3: "tiers", 4: "quart" };
      const part = names[denominator] ?? ordinal(denominator, words, "masculine");
      return `${words.cardinal(numerator)} ${part}${numerator > 1 && !part.endsWith("s") ? "s" : ""}`;
    },
    readers: (words) => [
      {
        pattern: /(\d{1,12})(?:er|ers)(?!\p{L})/uy,
        say: ([, digits = ""]) => ordinal(Number(digits), words, "masculine"),
      },
      {
        pattern: /(\d{1,12})(?:re|ère|res|ères)(?!\p{L})/uy,
        say: ([, digits = ""]) => ordinal(Number(digits), words, "feminine"),
      },
      { pattern: /2n(de?)(?!\p{L})/uy, say: ([, end = ""]) => (end === "de" ? "seconde" : "second") },
      {
        pattern: /(\d{1,12})(?:e|ème|ième|es|èmes|ᵉ)(?!\p{L})/uy,
        say: ([, digits = ""]) => ordinal(Number(digits), words, "masculine"),
      },
      {
        pattern: new RegExp(`1(?= (?:${monthPattern(months)})(?!\\p{L}))`, "iuy"),
        say: () => "premier",
      },
      { pattern: /n° ?(?=\d)/iuy, say: () => "numéro " },
    ],
  };
}

function time({ hour, minute, second }: SpokenTime, words: Words): string {
  const hours = `${words.cardinal(hour, "feminine")} ${hour < 2 ? "heure" : "heures"}`;
  const minutes = minute === 0 && second === null ? "" : ` ${words.cardinal(minute, "feminine")}`;
  const seconds =
    second === null ? "" : ` et ${words.cardinal(second, "feminine")} ${second < 2 ? "seconde" : "secondes"}`;
  return `${hours}${minutes}${seconds}`;
}
