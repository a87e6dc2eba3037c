import type { CurrencyWords } from "../language-rules.ts";
import { NUMBER_END, numberSyntax, SPACES } from "../number-syntax.ts";
import { valueOf, type NumberWords, type WrittenNumber } from "../number-words.ts";
import type { Reader } from "../reader.ts";
import { isMillions } from "./amounts.ts";

/** Signs that mean one currency in every language. */
const SIGNS: Readonly<Record<string, string>> = {
  "€": "EUR",
  "£": "GBP",
  "₩": "KRW",
  "₹": "INR",
  US$: "USD",
  R$: "BRL",
  C$: "CAD",
  A$: "AUD",
};

/** Codes of ISO 4217 that are read beside a number; those without words of ours have Intl's. */
const CODES = "USD|EUR|GBP|JPY|CNY|KRW|CHF|BRL|INR|CAD|AUD|MXN|SEK|NOK|DKK|PLN|CZK|TRY";

const CURRENCY = `US\\$|R\\$|C\\$|A\\$|[$€£¥￥₩₹]|(?:${CODES})(?![\\p{L}])`;

/** $3.50, 3,50 €, ¥500, £1m, EUR 20. */
export function moneyReaders(words: NumberWords): readonly Reader[] {
  const { rules } = words;
  const syntax = numberSyntax(rules.locale);
  const scales = Object.keys(rules.scales).toSorted((a, b) => b.length - a.length);
  const scale = `(?:[${SPACES}]?(${scales.join("|")})\\.?(?!\\p{Script=Latin}))?`;
  const end = NUMBER_END;
  return [
    {
      pattern: new RegExp(`([-−]?)(${CURRENCY})[${SPACES}]?(${syntax.source})${scale}${end}`, "uy"),
      say: ([, sign = "", currency = "", text = "", scaleWord]) =>
        sayMoney({ ...syntax.parse(text), isNegative: sign !== "" }, currency, scaleWord, words),
    },
    {
      // The scale may be in front of the sign, as in 5 M€.
      pattern: new RegExp(
        `([-−]?)(${syntax.source})${scale.replace("(?!\\p{Script=Latin})", "")}[${SPACES}]?(${CURRENCY})(?!\\d)`,
        "iuy",
      ),
      say: ([, sign = "", text = "", scaleWord, currency = ""]) =>
        sayMoney({ ...syntax.parse(text), isNegative: sign !== "" }, currency.toUpperCase(), scaleWord, words),
    },
    {
      // Abbreviations before a noun: 5 Mio. Menschen, 2 mld euro.
      pattern: new RegExp(`(${syntax.source})[${SPACES}](mio|mrd|mln|mld|bn|tsd)\\.?(?!\\p{L})`, "iuy"),
      say: ([, text = "", scaleWord = ""]) => {
        const number = syntax.parse(text);
        return rules.scales[scaleWord.toLowerCase()] === undefined
          ? null
          : sayScale(number, scaleWord, words).join(" ");
      },
    },
  ];
}

function sayMoney(number: WrittenNumber, sign: string, scaleWord: string | undefined, words: NumberWords): string {
  const { rules } = words;
  const code = rules.signs[sign] ?? SIGNS[sign] ?? sign;
  const currency = rules.currencies[code] ?? intlCurrency(code, words);
  if (scaleWord !== undefined) return sayScaled(number, scaleWord, currency, words);
  const { cent } = currency;
  const isCents = cent !== null && number.fraction !== null && number.fraction.length === 2;
  if (!isCents) return sayWhole(number, currency, words);
  const value = Number(number.fraction);
  const whole = { ...number, fraction: null };
  if (value === 0) return sayWhole(whole, currency, words);
  const named = [
    words.cardinal(value, currency.agreement === "alone" ? "alone" : "masculine"),
    value === 1 ? cent.one : cent.many,
  ].join(rules.space);
  if (Number(number.integer) === 0) return number.isNegative ? `${rules.minus} ${named}` : named;
  return sayWhole(whole, currency, words) + rules.cents.join + (rules.cents.areNamed ? named : words.cardinal(value));
}

function sayWhole(number: WrittenNumber, { one, many, agreement }: CurrencyWords, words: NumberWords): string {
  const { rules } = words;
  const isOne = new Intl.PluralRules(rules.locale).select(valueOf(number)) === "one";
  const name = isOne ? one : many;
  return [words.number(number, agreement), isMillions(number) ? rules.ofMillions(name) : name].join(rules.space);
}

function sayScaled(number: WrittenNumber, scaleWord: string, currency: CurrencyWords, words: NumberWords): string {
  const { rules } = words;
  const amount = sayScale(number, scaleWord, words);
  const isMillion = /^(?:mi|bi|tri)l[lhi](?!e$)/iu.test(amount.at(-1) ?? "");
  return [...amount, isMillion ? rules.ofMillions(currency.many) : currency.many].join(rules.space);
}

/** The amount and the word for the power of ten. */
function sayScale(number: WrittenNumber, scaleWord: string, words: NumberWords): readonly string[] {
  const isOne = number.fraction === null && Number(number.integer) === 1;
  const [one, many] = words.rules.scales[scaleWord.toLowerCase()] ?? [scaleWord, scaleWord];
  const scale = isOne ? one : many;
  // One thousand is "mil", not "un mil".
  if (isOne && /^mil(?:le)?$/u.test(scale)) return [scale];
  // A million is a feminine noun in German, and masculine elsewhere.
  return [words.number(number, /^\p{Lu}/u.test(scale) ? "feminine" : "masculine"), scale];
}

/** The name that Intl has for a currency, read with decimals. */
function intlCurrency(code: string, words: NumberWords): CurrencyWords {
  const { locale } = words.rules;
  const name = (value: number): string => {
    const format = new Intl.NumberFormat(locale, { style: "currency", currency: code, currencyDisplay: "name" });
    const text = format.formatToParts(value).find(({ type }) => type === "currency")?.value ?? code;
    return locale.startsWith("pt") ? text.toLowerCase() : text;
  };
  return { one: name(1), many: name(2), agreement: "masculine", cent: null };
}
