import type { LanguageRules, SpokenTime, Words } from "../language-rules.ts";
import { monthName } from "./month-names.ts";
import { agreementByNoun, masculineUnit, wordSet, type NounEndings } from "./nouns.ts";

const NOUNS: NounEndings = {
  feminine:
    /(?:as?|ción|ciones|sión|siones|dad|dades|tud|tudes)$|^(?:vez|veces|mujer|mujeres|noche|noches|tarde|tardes|clase|clases|parte|partes|calle|calles|voz|voces|luz|luces|mano|manos|foto|fotos)$/u,
  exceptions:
    /^(?:día|problema|mapa|tema|programa|sistema|planeta|poeta|idioma|clima|kilograma|drama|poema|dilema|diploma|cometa|pijama|tranvía|gorila|guardia|policía|turista|artista)s?$/u,
  notNouns: wordSet("y o u e es son fue era a de del al la las el los en con por para que se lo un una más menos"),
};

/** Spanish of Spain or America. */
export function spanish(region: string): LanguageRules {
  const locale = `es-${region}`;
  const ordinal = (digits: string, words: Words, end: string): string =>
    words.bySet(Number(digits), `%spellout-ordinal-${end}`);
  return {
    locale,
    ruleFile: "es",
    sets: {
      alone: "%spellout-numbering",
      masculine: "%spellout-cardinal-masculine",
      feminine: "%spellout-cardinal-feminine",
    },
    yearSet: null,
    space: " ",
    digits: ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
    revise: (words) => words.replace(/decimoprimer(?=[oa])/u, "undécim"),
    comma: "coma",
    point: "punto",
    readsFractionAsNumber: true,
    minus: "menos",
    plus: "más",
    range: " a ",
    ratio: " a ",
    and: "y",
    percent: (number) => `${number} por ciento`,
    permille: (number) => `${number} por mil`,
    links: {
      "@": "arroba",
      ".": "punto",
      "/": "barra",
      "-": "guion",
      _: "guion bajo",
      ":": "dos puntos",
      "?": "signo de interrogación",
      "=": "igual",
      "&": "y",
      "#": "almohadilla",
      "%": "por ciento",
      "+": "más",
      "~": "virgulilla",
    },
    isDayFirst: true,
    date: ({ year, month, day }, words) =>
      [day === null ? "" : words.cardinal(day), monthName(locale, month), year === null ? "" : words.year(year)]
        .filter((part) => part !== "")
        .join(" de "),
    time,
    timePattern: /([01]?\d|2[0-4])[:.]([0-5]\d) ?h(?![\p{L}\d/])/uy,
    currencies: {
      USD: { one: "dólar", many: "dólares", agreement: "masculine", cent: { one: "centavo", many: "centavos" } },
      EUR: { one: "euro", many: "euros", agreement: "masculine", cent: { one: "céntimo", many: "céntimos" } },
      GBP: { one: "libra", many: "libras", agreement: "feminine", cent: { one: "penique", many: "peniques" } },
      MXN: { one: "peso", many: "pesos", agreement: "masculine", cent: { one: "centavo", many: "centavos" } },
      JPY: { one: "yen", many: "yenes", agreement: "masculine", cent: null },
      CNY: { one: "yuan", many: "yuanes", agreement: "masculine", cent: null },
      KRW: { one: "won", many: "wons", agreement: "masculine", cent: null },
      CHF: { one: "franco suizo", many: "francos suizos", agreement: "masculine", cent: null },
    },
    signs: { $: ["MX", "CO", "CL", "AR", "UY"].includes(region) ? "MXN" : "USD", "¥": "JPY" },
    cents: { join: " con ", areNamed: true },
    ofMillions: (noun) => `de ${noun}`,
    scales: {
      m: ["millón", "millones"],
      mill: ["millón", "millones"],
      mil: ["mil", "mil"],
      millón: ["millón", "millones"],
      millones: ["millón", "millones"],
      billón: ["billón", "billones"],
      billones: ["billón", "billones"],
    },
    units: {
      "m²": masculineUnit("metro cuadrado", "metros cuadrados"),
      "km²": masculineUnit("kilómetro cuadrado", "kilómetros cuadrados"),
      "m³": masculineUnit("metro cúbico", "metros cúbicos"),
      mg: masculineUnit("miligramo", "miligramos"),
      Hz: masculineUnit("hercio", "hercios"),
      kHz: masculineUnit("kilohercio", "kilohercios"),
      MHz: masculineUnit("megahercio", "megahercios"),
      GHz: masculineUnit("gigahercio", "gigahercios"),
      W: masculineUnit("vatio", "vatios"),
      kW: masculineUnit("kilovatio", "kilovatios"),
      kWh: masculineUnit("kilovatio hora", "kilovatios hora"),
      V: masculineUnit("voltio", "voltios"),
    },
    feminineUnits: new Set(["mile", "mile-per-hour", "hour", "inch", "yard", "tonne", "ounce", "pound"]),
    agreement: (_value, after) => agreementByNoun(after, NOUNS),
    isYear: () => false,
    fraction: (numerator, denominator, words) => {
      if (denominator === 2) return numerator === 1 ? "un medio" : `${words.cardinal(numerator)} medios`;
      const part = denominator === 3 ? "tercio" : ordinal(String(denominator), words, "masculine");
      return `${words.cardinal(numerator, "masculine")} ${part}${numerator === 1 ? "" : "s"}`;
    },
    readers: (words) => [
      {
        pattern: /(\d{1,12})\.?(?:er|ᵉʳ)(?!\p{L})/uy,
        say: ([, digits = ""]) => ordinal(digits, words, "masculine-adjective"),
      },
      {
        pattern: /(\d{1,12})\.?(?:[ºo](?![\p{L}CF])|°(?= \p{Ll}{3}))/uy,
        // "primer lugar", but "el primero".
        say: ([, digits = ""], { after }) =>
          ordinal(digits, words, agreementByNoun(after, NOUNS) === "masculine" ? "masculine-adjective" : "masculine"),
      },
      { pattern: /(\d{1,12})\.?[ªa](?!\p{L})/uy, say: ([, digits = ""]) => ordinal(digits, words, "feminine") },
      { pattern: /(?:n\.?º|núm\.) ?(?=\d)/iuy, say: () => "número " },
    ],
  };
}

function time({ hour, minute, second }: SpokenTime, words: Words): string {
  const spokenHour = words.cardinal(hour, "feminine");
  if (minute === 0 && second === null) return hour > 12 || hour === 0 ? `${spokenHour} horas` : spokenHour;
  const seconds =
    second === null ? "" : ` y ${words.cardinal(second, "masculine")} ${second === 1 ? "segundo" : "segundos"}`;
  return `${spokenHour} y ${words.cardinal(minute)}${seconds}`;
}
