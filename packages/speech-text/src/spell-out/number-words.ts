import type { Agreement, LanguageRules, Words } from "./language-rules.ts";
import type { RuleBasedFormat } from "./rbnf/rule-based-format.ts";
import { MAX_SPOKEN_INTEGER } from "./rbnf/rule-based-format.ts";

/** A number as it is written: digits, without signs for groups. */
export interface WrittenNumber {
  readonly isNegative: boolean;
  readonly integer: string;
  /** Digits behind the decimal sign; null without. */
  readonly fraction: string | null;
  /** The decimal sign, as it is written. */
  readonly sign: "." | ",";
}

const TRILLION = 1e12;

/** Says numbers in one language. */
export class NumberWords implements Words {
  readonly rules: LanguageRules;
  readonly #format: RuleBasedFormat;

  constructor(rules: LanguageRules, format: RuleBasedFormat) {
    this.rules = rules;
    this.#format = format;
  }

  cardinal(value: number, agreement: Agreement = "alone"): string {
    return this.bySet(value, this.rules.sets[agreement]);
  }

  bySet(value: number, set: string): string {
    const { trillion, revise } = this.rules;
    if (trillion !== undefined && value >= TRILLION) return this.#trillions(value, set, trillion);
    const words = this.#format.format(value, set);
    return revise === undefined ? words : revise(words);
  }

  /** Chinese: zero stands for the places that are skipped. */
  #trillions(value: number, set: string, name: string): string {
    const rest = value % TRILLION;
    const head = `${this.bySet(Math.floor(value / TRILLION), set)}${name}`;
    if (rest === 0) return head;
    return `${head}${rest < TRILLION / 10 ? (this.rules.digits[0] ?? "") : ""}${this.bySet(rest, set)}`;
  }

  year(value: number): string {
    return this.rules.yearSet === null ? this.cardinal(value) : this.bySet(value, this.rules.yearSet);
  }

  digits(text: string, digits: readonly string[] = this.rules.digits): string {
    return Array.from(text, (digit) => digits[Number(digit)] ?? "").join(
      this.rules.joinsDigits === true ? "" : this.rules.space,
    );
  }

  integer(text: string, agreement: Agreement = "alone"): string {
    const value = Number(text);
    const isPlain = value <= MAX_SPOKEN_INTEGER && (text === "0" || !text.startsWith("0"));
    return isPlain ? this.cardinal(value, agreement) : this.digits(text);
  }

  /** A number with its sign and decimals. */
  number({ isNegative, integer, fraction, sign }: WrittenNumber, agreement: Agreement = "alone"): string {
    const { minus, comma, point } = this.rules;
    const parts = isNegative ? [minus] : [];
    if (fraction === null) parts.push(this.integer(integer, agreement));
    else parts.push(this.integer(integer), sign === "," ? comma : point, this.#fraction(fraction));
    return parts.join(this.rules.space);
  }

  #fraction(digits: string): string {
    if (!this.rules.readsFractionAsNumber || digits.length > 3) return this.digits(digits);
    const zeros = /^0*/u.exec(digits)?.[0] ?? "";
    const rest = digits.slice(zeros.length);
    return [...(zeros === "" ? [] : [this.digits(zeros)]), ...(rest === "" ? [] : [this.cardinal(Number(rest))])].join(
      this.rules.space,
    );
  }
}

/** The value, for agreement; infinite beyond what is exact. */
export function valueOf({ integer, fraction }: WrittenNumber): number {
  return Number(fraction === null ? integer : `${integer}.${fraction}`);
}
