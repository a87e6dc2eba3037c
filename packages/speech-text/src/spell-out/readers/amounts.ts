import type { Agreement, UnitWords } from "../language-rules.ts";
import { NUMBER_END, numberSyntax, SPACES } from "../number-syntax.ts";
import { valueOf, type NumberWords, type WrittenNumber } from "../number-words.ts";
import type { Reader } from "../reader.ts";
import { INTL_UNITS, unitPattern } from "./unit-symbols.ts";

/** Percentages and numbers with units. */
export function amountReaders(words: NumberWords): readonly Reader[] {
  const { rules } = words;
  const syntax = numberSyntax(rules.locale);
  const signed = `([-−]?)(${syntax.source})`;
  const read = (sign: string, text: string): WrittenNumber => ({ ...syntax.parse(text), isNegative: sign !== "" });
  return [
    {
      pattern: new RegExp(`${signed}[${SPACES}]?([%‰％])`, "uy"),
      say: ([, sign = "", text = "", mark]) => {
        const number = read(sign, text);
        const spoken = words.number(number, rules.space === "" && valueOf(number) >= 100 ? "masculine" : "alone");
        return mark === "‰" ? rules.permille(spoken) : rules.percent(spoken, text === "1");
      },
    },
    {
      pattern: new RegExp(`${signed}[${SPACES}]?(${unitPattern(rules)})(?![\\p{Script=Latin}\\d²³]|/\\p{L})`, "uy"),
      say: ([, sign = "", text = "", symbol = ""]) => sayUnit(read(sign, text), symbol, words),
    },
  ];
}

/** Whether a number of millions stands before its noun with a preposition. */
export function isMillions(number: WrittenNumber): boolean {
  const value = valueOf(number);
  return value >= 1e6 && value % 1e6 === 0;
}

function sayUnit(number: WrittenNumber, symbol: string, words: NumberWords): string | null {
  const { rules } = words;
  const own = rules.units[symbol];
  if (own !== undefined) return sayOwnUnit(number, own, words);
  const unit = INTL_UNITS[symbol];
  if (unit === undefined) return null;
  const agreement: Agreement = rules.feminineUnits.has(unit) ? "feminine" : "masculine";
  const format = new Intl.NumberFormat(rules.locale, {
    style: "unit",
    unit,
    unitDisplay: "long",
    useGrouping: false,
    maximumFractionDigits: 20,
  });
  const parts = format.formatToParts(valueOf(number));
  const said = words.number(number, agreement);
  let isSaid = false;
  const spoken = parts.map(({ type, value }) => {
    if (type === "unit" || type === "literal")
      return isMillions(number) && type === "unit" ? rules.ofMillions(value) : value;
    if (isSaid) return "";
    isSaid = true;
    return said;
  });
  // Intl has spaces that do not break.
  const text = spoken.join("").replaceAll(/[\u00A0\u202F]/gu, " ");
  if (rules.space === "") return text.replaceAll(" ", "");
  // Korean writes units right behind digits, but apart from words.
  return rules.locale === "ko-KR" ? text.replace(said, `${said} `).trim() : text;
}

function sayOwnUnit(number: WrittenNumber, { one, many, agreement }: UnitWords, words: NumberWords): string {
  const { rules } = words;
  const category = new Intl.PluralRules(rules.locale).select(valueOf(number));
  const name = category === "one" ? one : many;
  return [words.number(number, agreement), isMillions(number) ? rules.ofMillions(name) : name].join(rules.space);
}

/** Numbers on their own, with what they agree with. */
export function numberReaders(words: NumberWords): readonly Reader[] {
  const { rules } = words;
  const syntax = numberSyntax(rules.locale);
  return [
    {
      // Ascending numbers with a hyphen are a range; the second one is read on its own.
      pattern: /(\d{1,4})-(?=(\d{1,4})(?!\d|[-.,:/]\d))/uy,
      say: ([, first = "", second = ""], place) => {
        const isRange = Number(first) < Number(second) && !/^0\d/u.test(first) && !/^0\d/u.test(second);
        if (!isRange) return null;
        const isYear = first.length === 4 && rules.yearSet !== null && rules.isYear({ ...place, after: "" });
        const spoken = isYear ? words.year(Number(first)) : words.integer(first);
        return spoken + rules.range;
      },
    },
    {
      // Scores and proportions; times were found before.
      pattern: /(\d{1,3}):(\d{1,3})(?![\p{Script=Latin}\d]|[.,:/]\d)/uy,
      say: ([, first = "", second = ""]) => words.integer(first) + rules.ratio + words.integer(second),
    },
    {
      // Versions and addresses of machines: the parts one after the other.
      pattern: /\d{1,4}(?:\.\d{1,4}){2,5}(?![\p{Script=Latin}\d]|[.,:]\d)/uy,
      say: ([whole]) => {
        const parts = whole.split(".");
        const isAddress =
          parts.length === 4 && parts.every((part) => /^(?:0|[1-9]\d*)$/u.test(part) && Number(part) < 256);
        const isGrouped = parts.slice(1).every((part) => part.length === 3);
        if (isGrouped && !isAddress) return words.integer(parts.join(""));
        const spoken = parts.map((part) => (isAddress ? words.digits(part) : words.integer(part)));
        const point = isAddress ? rules.links["."] : rules.point;
        return spoken.join(rules.space + point + rules.space);
      },
    },
    {
      pattern: /(1[1-9]|20)\d{2}(?![\p{Script=Latin}\d_]|[.,:]\d)/uy,
      say: ([digits], place) => (rules.yearSet !== null && rules.isYear(place) ? words.year(Number(digits)) : null),
    },
    {
      pattern: /(?:(\d{1,4}) )?(\d{1,2})\/(\d{1,2})(?![\p{Script=Latin}\d/]|[.,:]\d)/uy,
      say: ([, whole, numerator = "", denominator = ""]) => {
        const [above, below] = [Number(numerator), Number(denominator)];
        if (above < 1 || above >= below || below > 10 || numerator.startsWith("0") || denominator.startsWith("0"))
          return null;
        const fraction = rules.fraction(above, below, words);
        return fraction === null ? null : withWhole(whole, fraction, words);
      },
    },
    {
      pattern: /(\d{1,4})? ?([½¼¾⅓⅔⅕⅛])/uy,
      say: ([, whole, sign = ""]) => {
        const [above = 1, below = 2] = sign.normalize("NFKC").split("⁄").map(Number);
        const fraction = rules.fraction(above, below, words);
        return fraction === null ? null : withWhole(whole, fraction, words);
      },
    },
    {
      pattern: new RegExp(`([-−]?)(${syntax.source})${NUMBER_END}`, "uy"),
      say: ([, sign = "", text = ""], { after }) => {
        const number = { ...syntax.parse(text), isNegative: sign !== "" };
        return words.number(number, number.fraction === null ? rules.agreement(valueOf(number), after) : "alone");
      },
    },
  ];
}

function withWhole(whole: string | undefined, fraction: string, words: NumberWords): string {
  const { space, and } = words.rules;
  return whole === undefined ? fraction : [words.integer(whole), and, fraction].join(space);
}
