import type { Place, Reader } from "./reader.ts";

/** What a number's word agrees with; `alone` is counting. */
export type Agreement = "alone" | "masculine" | "feminine";

export interface SpokenDate {
  readonly year: number | null;
  /** 1 … 12. */
  readonly month: number;
  readonly day: number | null;
}

export interface SpokenTime {
  /** 0 … 24. */
  readonly hour: number;
  readonly minute: number;
  readonly second: number | null;
  readonly half: "am" | "pm" | null;
}

export interface CurrencyWords {
  readonly one: string;
  readonly many: string;
  readonly agreement: Agreement;
  /** A hundredth of it; null when amounts are read as decimals. */
  readonly cent: { readonly one: string; readonly many: string } | null;
}

export interface UnitWords {
  readonly one: string;
  readonly many: string;
  readonly agreement: Agreement;
}

/** Says whole numbers by the rules of one language. */
export interface Words {
  /** @param value 0 … MAX_SPOKEN_INTEGER */
  cardinal(value: number, agreement?: Agreement): string;
  /** By a set of CLDR's rules. */
  bySet(value: number, set: string): string;
  year(value: number): string;
  /** Digit by digit. */
  digits(text: string, digits?: readonly string[]): string;
  /** A whole number of any length: with leading zeros, or with more than 15 digits, digit by digit. */
  integer(text: string, agreement?: Agreement): string;
}

/** Signs of addresses that are spoken. */
export type LinkSign = "@" | "." | "/" | "-" | "_" | ":" | "?" | "=" | "&" | "#" | "%" | "+" | "~";

/** How one language says what is written with digits. */
export interface LanguageRules {
  /** BCP 47, for Intl. */
  readonly locale: string;
  /** A file of `cldr-rbnf`. */
  readonly ruleFile: string;
  readonly sets: Readonly<Record<Agreement, string>>;
  /** Set for years 1100 … 2099 that have a reading of their own; null where they are plain numbers. */
  readonly yearSet: string | null;
  /** Between words: a space, or nothing. */
  readonly space: "" | " ";
  /** 0 … 9, one by one. */
  readonly digits: readonly string[];
  /** 0 … 9 of telephone numbers, where they differ. */
  readonly phoneDigits?: readonly string[];
  /** Digits one by one stand together, as syllables of one word. */
  readonly joinsDigits?: boolean;
  /** What CLDR's words are changed to, where another form is the usual one. */
  readonly revise?: (words: string) => string;
  /** For 10^12, where CLDR's word means another number to many. */
  readonly trillion?: string;
  /** Telephone numbers are read in pairs. */
  readonly pairsInPhones?: boolean;
  readonly comma: string;
  readonly point: string;
  /** Up to three digits behind the decimal sign are read as a number. */
  readonly readsFractionAsNumber: boolean;
  readonly minus: string;
  readonly plus: string;
  /** Between two numbers of a range, with its spaces. */
  readonly range: string;
  /** Between the numbers of a score or proportion, with its spaces. */
  readonly ratio: string;
  /** Between a whole number and a fraction. */
  readonly and: string;
  readonly percent: (number: string, isOne: boolean) => string;
  readonly permille: (number: string) => string;
  readonly links: Readonly<Record<LinkSign, string>>;
  /** Day before month in dates such as 1/2/2024. */
  readonly isDayFirst: boolean;
  readonly date: (date: SpokenDate, words: Words, place: Place) => string;
  readonly time: (time: SpokenTime, words: Words) => string;
  /** Written hours and minutes, such as `14h30`, besides `14:30`: groups hour and minute, the whole with its word. */
  readonly timePattern?: RegExp;
  readonly currencies: Readonly<Record<string, CurrencyWords>>;
  /** Which currency `$` and `¥` are. */
  readonly signs: Readonly<Record<string, string>>;
  /** What stands between an amount and its hundredths, and whether those have their name: "three euros fifty". */
  readonly cents: { readonly join: string; readonly areNamed: boolean };
  /** Between millions and a noun. */
  readonly ofMillions: (noun: string) => string;
  /** Words and abbreviations for powers of ten behind an amount, in lower case: word for one, word for more, the power. */
  readonly scales: Readonly<Record<string, readonly [one: string, many: string]>>;
  /** Units that Intl has no names for, and the agreement of those that it has, by symbol. */
  readonly units: Readonly<Record<string, UnitWords>>;
  readonly feminineUnits: ReadonlySet<string>;
  /** What the number agrees with, by what stands behind it. */
  readonly agreement: (value: number, after: string) => Agreement;
  /** Whether a bare number 1100 … 2099 is a year. */
  readonly isYear: (place: Place) => boolean;
  /** Fractions such as 3/4; null to leave them to the other rules. */
  readonly fraction: (numerator: number, denominator: number, words: Words) => string | null;
  /** Readers of the language's own forms, tried before the common ones. */
  readonly readers: (words: Words) => readonly Reader[];
}
