import { parseRuleSet, type NumberRule, type RulePart, type RuleSet } from "./parse-rules.ts";

/** The sets of a language by name, such as `%spellout-cardinal`, as `cldr-rbnf` has them. */
export type RuleSetData = Readonly<Record<string, readonly (readonly [string, string])[]>>;

/** Largest number that is formatted: every integer up to it is exact. */
export const MAX_SPOKEN_INTEGER = 999_999_999_999_999;

/** Hyphens that CLDR puts where a word may be divided. */
const SOFT_HYPHENS = /\u00AD/gu;

/** Numbers in words by CLDR's rules of one language. */
export class RuleBasedFormat {
  readonly #data: RuleSetData;
  readonly #cardinals: Intl.PluralRules;
  readonly #ordinals: Intl.PluralRules;
  readonly #sets = new Map<string, RuleSet>();

  constructor(data: RuleSetData, locale: string) {
    this.#data = data;
    this.#cardinals = new Intl.PluralRules(locale);
    this.#ordinals = new Intl.PluralRules(locale, { type: "ordinal" });
  }

  has(setName: string): boolean {
    return Object.hasOwn(this.#data, setName);
  }

  /**
   * The number in words.
   *
   * @param value an integer, -MAX_SPOKEN_INTEGER … MAX_SPOKEN_INTEGER
   * @throws {Error} if there is no such set
   */
  format(value: number, setName: string): string {
    return this.#format(value, setName).replaceAll(SOFT_HYPHENS, "");
  }

  #format(value: number, setName: string): string {
    const set = this.#set(setName);
    if (value < 0) {
      if (set.negative === null) throw new Error(`The number rules ${setName} have no negative numbers.`);
      return this.#apply(set.negative, { remainder: -value, quotient: -value, value, setName, index: 0 });
    }
    return this.#formatBy(value, setName, ruleIndexFor(set.rules, value));
  }

  #formatBy(value: number, setName: string, index: number): string {
    const rule = this.#set(setName).rules[index];
    if (rule === undefined) return "";
    const quotient = Math.floor(value / rule.divisor);
    return this.#apply(rule.parts, { remainder: value - quotient * rule.divisor, quotient, value, setName, index });
  }

  #apply(parts: readonly RulePart[], at: Place): string {
    return parts.map((part) => this.#part(part, at)).join("");
  }

  #part(part: RulePart, at: Place): string {
    switch (part.kind) {
      case "text":
        return part.text;
      case "remainder":
        return this.#format(at.remainder, part.set ?? at.setName);
      case "quotient":
        return this.#format(at.quotient, part.set ?? at.setName);
      case "same":
        return part.set === null ? "" : this.#format(at.value, part.set);
      case "remainder-by-previous":
        return this.#formatBy(at.remainder, at.setName, at.index - 1);
      case "optional":
        return at.remainder === 0 ? "" : this.#apply(part.parts, at);
      case "plural":
        return this.#pluralForm(part, at.quotient);
      default:
        return part satisfies never;
    }
  }

  #pluralForm({ isOrdinal, forms }: RulePart & { readonly kind: "plural" }, count: number): string {
    const category = (isOrdinal ? this.#ordinals : this.#cardinals).select(count);
    return forms[category] ?? forms["other"] ?? "";
  }

  #set(name: string): RuleSet {
    const known = this.#sets.get(name);
    if (known !== undefined) return known;
    const entries = this.#data[name];
    if (entries === undefined) throw new Error(`There are no number rules named ${name}.`);
    const set = parseRuleSet(entries);
    this.#sets.set(name, set);
    return set;
  }
}

interface Place {
  readonly value: number;
  readonly quotient: number;
  readonly remainder: number;
  readonly setName: string;
  readonly index: number;
}

/** The last rule whose base is not above the value, or the one before it where that one cannot end a word. */
function ruleIndexFor(rules: readonly NumberRule[], value: number): number {
  const above = rules.findIndex(({ base }) => base > value);
  const index = Math.max(0, (above === -1 ? rules.length : above) - 1);
  const rule = rules[index];
  if (rule === undefined || index === 0) return index;
  const hasRemainder = rule.parts.some(({ kind }) => kind === "remainder" || kind === "remainder-by-previous");
  const isRolledBack = hasRemainder && value % rule.divisor === 0 && rule.base % rule.divisor !== 0;
  return isRolledBack ? index - 1 : index;
}
