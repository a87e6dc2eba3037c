import { LinkifyIt } from "linkify-it";
import type { LanguageRules, LinkSign } from "../language-rules.ts";
import type { NumberWords } from "../number-words.ts";

/** A web or e-mail address in a text. */
export interface FoundLink {
  readonly start: number;
  readonly end: number;
}

/** Longest address that is found. */
const MAX_LINK_CHARS = 2048;

/** Besides those of two letters and the oldest ones, which the library knows. */
const TOP_LEVEL_DOMAINS = [
  "app",
  "blog",
  "cloud",
  "dev",
  "email",
  "online",
  "page",
  "site",
  "store",
  "tech",
  "wiki",
  "xyz",
];

const linkify = new LinkifyIt({ fuzzyLink: true, maxLength: MAX_LINK_CHARS }).tlds(TOP_LEVEL_DOMAINS, true);

/** Web and e-mail addresses, in order. */
export function findLinks(text: string): readonly FoundLink[] {
  return (linkify.match(withBoundaries(text)) ?? [])
    .filter(({ schema, raw }) => schema !== "" || !isNoDomain(raw))
    .map(({ index, lastIndex }) => ({ start: index, end: lastIndex }));
}

/** Letters of scripts without spaces, which end an address as a space does. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303F\uFF00-\uFF0F\uFF1A-\uFF20]/gu;

/** A colon before an address, as in "mail:info@example.com". */
const COLON_BEFORE_MAIL = /(?<!mailto):(?=[\w.+-]{1,64}@)/giu;

/** The text, as long as before, with a space where the library would take what belongs to no address for a part of it. */
function withBoundaries(text: string): string {
  return text.replaceAll(UNSPACED, (letter) => " ".repeat(letter.length)).replaceAll(COLON_BEFORE_MAIL, " ");
}

/** A sentence that ends without a space, as in "home.It", and an ordinal such as 3.er are no domains. */
function isNoDomain(raw: string): boolean {
  return /\.\p{Lu}\p{Ll}+$|^\d+\.\p{L}+$/u.test(raw);
}

/** Its names with the words for the signs between them; the scheme is left out. */
export function sayLink(link: string, words: NumberWords): string {
  const { rules } = words;
  const address = link.replace(/^(?:https?:\/\/|ftp:\/\/|mailto:|\/\/)/iu, "").replace(/\/$/u, "");
  const parts = address.match(/\d+|[\p{L}\p{M}]+|[^\d\p{L}\p{M}]/gu) ?? [];
  return parts
    .map((part) => sayPart(part, rules, words))
    .filter((part) => part !== "")
    .join(" ");
}

/** Short numbers as numbers, others by their digits. */
function sayPart(part: string, rules: LanguageRules, words: NumberWords): string {
  if (/^\d/u.test(part)) return part.length > 3 ? words.digits(part) : words.integer(part);
  if (/^[\p{L}\p{M}]/u.test(part)) return part;
  return rules.links[part as LinkSign] ?? "";
}
