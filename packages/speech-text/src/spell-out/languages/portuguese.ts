import type { LanguageRules, SpokenTime, Words } from "../language-rules.ts";
import { monthName, monthNumbers, monthPattern } from "./month-names.ts";
import { agreementByNoun, masculineUnit, wordSet, type NounEndings } from "./nouns.ts";

const NOUNS: NounEndings = {
  feminine:
    /(?:as?|ção|ções|são|sões|dade|dades|gem|gens|tude|tudes)$|^(?:vez|vezes|mulher|mulheres|noite|noites|tarde|tardes|mãe|mães|voz|vozes|luz|luzes|mão|mãos|foto|fotos|classe|classes|parte|partes|cidade|cidades)$/u,
  exceptions:
    /^(?:dia|problema|mapa|tema|programa|sistema|planeta|poeta|idioma|clima|grama|quilograma|drama|poema|dilema|diploma|pijama|artista|turista|são)s?$/u,
  notNouns: wordSet("e ou é são foi era a ao à de do da em com por para que se as os um uma mais menos no na"),
};

/** Portuguese of Brazil or Portugal. */
export function portuguese(region: string): LanguageRules {
  const isBrazilian = region === "BR";
  const locale = isBrazilian ? "pt-BR" : "pt-PT";
  const cent = isBrazilian ? { one: "centavo", many: "centavos" } : { one: "cêntimo", many: "cêntimos" };
  const ordinal = (value: number, words: Words, gender: "masculine" | "feminine"): string =>
    words.bySet(value, `%spellout-ordinal-${gender}`);
  const quilo = isBrazilian ? "quilô" : "quiló";
  return {
    locale,
    ruleFile: isBrazilian ? "pt" : "pt-PT",
    sets: {
      alone: "%spellout-cardinal-masculine",
      masculine: "%spellout-cardinal-masculine",
      feminine: "%spellout-cardinal-feminine",
    },
    yearSet: null,
    space: " ",
    digits: ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"],
    comma: "vírgula",
    point: "ponto",
    readsFractionAsNumber: true,
    minus: "menos",
    plus: "mais",
    range: " a ",
    ratio: " a ",
    and: "e",
    percent: (number) => `${number} por cento`,
    permille: (number) => `${number} por mil`,
    links: {
      "@": "arroba",
      ".": "ponto",
      "/": "barra",
      "-": isBrazilian ? "traço" : "hífen",
      _: "sublinhado",
      ":": "dois pontos",
      "?": "ponto de interrogação",
      "=": "igual",
      "&": "e",
      "#": "cardinal",
      "%": "por cento",
      "+": "mais",
      "~": "til",
    },
    isDayFirst: true,
    date: ({ year, month, day }, words) =>
      [
        day === null ? "" : day === 1 && isBrazilian ? "primeiro" : words.cardinal(day),
        monthName(locale, month),
        year === null ? "" : words.year(year),
      ]
        .filter((part) => part !== "")
        .join(" de "),
    time,
    timePattern: /([01]?\d|2[0-4]) ?h(?: ?([0-5]\d))?(?: ?min)?(?![\p{L}\d/])/uy,
    currencies: {
      USD: { one: "dólar", many: "dólares", agreement: "masculine", cent },
      EUR: { one: "euro", many: "euros", agreement: "masculine", cent },
      BRL: { one: "real", many: "reais", agreement: "masculine", cent: { one: "centavo", many: "centavos" } },
      GBP: { one: "libra", many: "libras", agreement: "feminine", cent: null },
      JPY: { one: "iene", many: "ienes", agreement: "masculine", cent: null },
      CNY: { one: "yuan", many: "yuans", agreement: "masculine", cent: null },
      KRW: { one: "won", many: "wons", agreement: "masculine", cent: null },
      CHF: { one: "franco suíço", many: "francos suíços", agreement: "masculine", cent: null },
    },
    signs: { $: "USD", "¥": "JPY" },
    cents: { join: " e ", areNamed: true },
    ofMillions: (noun) => `de ${noun}`,
    scales: {
      mil: ["mil", "mil"],
      mi: ["milhão", "milhões"],
      bi: isBrazilian ? ["bilhão", "bilhões"] : ["bilião", "biliões"],
      milhão: ["milhão", "milhões"],
      milhões: ["milhão", "milhões"],
      bilhão: ["bilhão", "bilhões"],
      bilhões: ["bilhão", "bilhões"],
      trilhão: ["trilhão", "trilhões"],
      trilhões: ["trilhão", "trilhões"],
    },
    units: {
      "m²": masculineUnit("metro quadrado", "metros quadrados"),
      "km²": masculineUnit(`${quilo}metro quadrado`, `${quilo}metros quadrados`),
      "m³": masculineUnit("metro cúbico", "metros cúbicos"),
      mg: masculineUnit("miligrama", "miligramas"),
      Hz: masculineUnit("hertz", "hertz"),
      kHz: masculineUnit("quilohertz", "quilohertz"),
      MHz: masculineUnit("megahertz", "megahertz"),
      GHz: masculineUnit("gigahertz", "gigahertz"),
      W: masculineUnit("watt", "watts"),
      kW: masculineUnit("quilowatt", "quilowatts"),
      kWh: masculineUnit("quilowatt-hora", "quilowatts-hora"),
      V: masculineUnit("volt", "volts"),
    },
    feminineUnits: new Set(["mile", "mile-per-hour", "hour", "inch", "yard", "tonne", "ounce", "pound"]),
    agreement: (_value, after) => agreementByNoun(after, NOUNS),
    isYear: () => false,
    fraction: (numerator, denominator, words) => {
      const names: Readonly<Record<number, string>> = { 2: "meio", 3: "terço" };
      const part = names[denominator] ?? ordinal(denominator, words, "masculine");
      return `${words.cardinal(numerator)} ${part}${numerator === 1 ? "" : "s"}`;
    },
    readers: (words) => [
      // The first of a month; the months have four letters and more.
      {
        pattern: new RegExp(`1(?= de (?:${monthPattern(monthNumbers(locale))})(?!\\p{L}))`, "iuy"),
        say: () => (isBrazilian ? "primeiro" : "um"),
      },
      {
        pattern: /(\d{1,12})\.?(?:[ºo](?![\p{L}CF])|°(?= \p{Ll}{3}))/uy,
        say: ([, digits = ""]) => ordinal(Number(digits), words, "masculine"),
      },
      { pattern: /(\d{1,12})\.?[ªa](?!\p{L})/uy, say: ([, digits = ""]) => ordinal(Number(digits), words, "feminine") },
      { pattern: /n\.?º ?(?=\d)/iuy, say: () => "número " },
    ],
  };
}

function time({ hour, minute, second }: SpokenTime, words: Words): string {
  const spokenHour = words.cardinal(hour, "feminine");
  if (minute === 0 && second === null) return `${spokenHour} ${hour === 1 ? "hora" : "horas"}`;
  const seconds = second === null ? "" : ` e ${words.cardinal(second)} ${second === 1 ? "segundo" : "segundos"}`;
  return `${spokenHour} e ${words.cardinal(minute)}${seconds}`;
}
