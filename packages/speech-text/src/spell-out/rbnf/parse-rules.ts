/** One way to put a number into a rule's text. */
export type RulePart =
  | { readonly kind: "text"; readonly text: string }
  /** The remainder, the quotient or the number itself, formatted by a set; null is the set of this rule. */
  | { readonly kind: "remainder" | "quotient" | "same"; readonly set: string | null }
  /** The remainder by the rule before this one, whatever its size. */
  | { readonly kind: "remainder-by-previous" }
  /** Left out when there is no remainder. */
  | { readonly kind: "optional"; readonly parts: readonly RulePart[] }
  /** A form of the quotient's plural category. */
  | { readonly kind: "plural"; readonly isOrdinal: boolean; readonly forms: Readonly<Record<string, string>> };

export interface NumberRule {
  readonly base: number;
  /** The power of the radix that the number is divided by. */
  readonly divisor: number;
  readonly parts: readonly RulePart[];
}

export interface RuleSet {
  /** By ascending base. */
  readonly rules: readonly NumberRule[];
  /** For numbers below 0; null without. */
  readonly negative: readonly RulePart[] | null;
}

/**
 * Reads the rules of one set of CLDR's rule-based number formats (UTS 35, part 3, "Rule-Based Number Formatting"), as the
 * package `cldr-rbnf` has them. Rules for fractions, infinity and NaN are left out: decimals are spoken by their digits.
 *
 * @throws {Error} on a syntax that it does not know
 */
export function parseRuleSet(entries: readonly (readonly [descriptor: string, body: string])[]): RuleSet {
  const rules: NumberRule[] = [];
  let negative: readonly RulePart[] | null = null;
  for (const [descriptor, body] of entries) {
    if (descriptor === "-x") negative = parseBody(body);
    const number = /^(\d+)(?:\/(\d+))?$/.exec(descriptor);
    if (number === null) continue;
    const base = Number(number[1]);
    rules.push({ base, divisor: divisorOf(base, Number(number[2] ?? 10)), parts: parseBody(body) });
  }
  return { rules, negative };
}

/** The largest power of the radix that is not above the base. */
function divisorOf(base: number, radix: number): number {
  let divisor = 1;
  while (divisor * radix <= base) divisor *= radix;
  return divisor;
}

/** A substitution with its set's name or without, optional text, a plural, or plain text. */
const PART = /→→→|([→←=])(%{0,2}[\w-]*)\1|\[([^\]]*)\]|\$\((cardinal|ordinal),([^)]*)\)\$|([^→←=[\]$]+)/guy;
const NUMBER_PATTERN = /=[#,0.]+=/gu;

function parseBody(body: string): readonly RulePart[] {
  // A quote at the start keeps the spaces behind it; a pattern stands for numbers beyond those that are spoken.
  return parseParts(body.replace(/;$/u, "").replace(/^'/u, "").replaceAll(NUMBER_PATTERN, ""));
}

function parseParts(text: string): readonly RulePart[] {
  const parts: RulePart[] = [];
  let end = 0;
  for (const match of text.matchAll(PART)) {
    end = match.index + match[0].length;
    parts.push(partOf(match));
  }
  if (end !== text.length) throw new Error(`Cannot read the number rule "${text}" from character ${end} on.`);
  return parts;
}

const ARROWS: Readonly<Record<string, "remainder" | "quotient" | "same">> = {
  "→": "remainder",
  "←": "quotient",
  "=": "same",
};

function partOf([, arrow, set, optional, pluralType, plural, text]: RegExpMatchArray): RulePart {
  if (arrow !== undefined) return { kind: ARROWS[arrow] ?? "same", set: set === "" ? null : (set ?? null) };
  if (optional !== undefined) return { kind: "optional", parts: parseParts(optional) };
  if (plural !== undefined) {
    const forms = Object.fromEntries([...plural.matchAll(/(\w+)\{([^}]*)\}/gu)].map(([, name, form]) => [name, form]));
    return { kind: "plural", isOrdinal: pluralType === "ordinal", forms };
  }
  return text === undefined ? { kind: "remainder-by-previous" } : { kind: "text", text };
}
