/** The shortest pieces of text that lines and captions may end with. */

/** What ends with a token. */
export type TokenEnd = "sentence" | "clause" | "word";

const WORDS = new Intl.Segmenter("und", { granularity: "word" });
const GRAPHEMES = new Intl.Segmenter("und", { granularity: "grapheme" });

/** Scripts that put no spaces between words, so that a line may end at any word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const SPACE = /^\s/u;
const OPENING = /^[\p{Ps}\p{Pi}¿¡]/u;
const PUNCTUATION = /^[\p{P}\p{S}]/u;
const CLOSING = /[\p{Pe}\p{Pf}"']*\s*$/u;
const SENTENCE_END = /[.!?…。！？｡।॥؟۔]$/u;
const CLAUSE_END = /[,;:–—，、；：،؛]$/u;

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60\p{Emoji_Presentation}]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns that a text takes: two for characters of East Asia, none for marks above and below. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : NO_WIDTH.test(character) ? 0 : 1;
  return columns;
}

/** Where a text may be cut, whitespace at the ends of tokens; joined they are the text. None is wider than `maxColumns`. */
export function tokensOf(text: string, maxColumns: number): string[] {
  const tokens: string[] = [];
  let token = "";
  for (const { segment } of WORDS.segment(text)) {
    if (token !== "" && mayCut(token, segment)) {
      tokens.push(token);
      token = "";
    }
    token += segment;
  }
  if (token !== "") tokens.push(token);
  return tokens.flatMap((each) => narrowed(each, maxColumns));
}

/** What a token ends with, behind quotes and brackets. */
export function endOf(token: string): TokenEnd {
  // A paragraph, or a sound.
  if (/\n\s*$/.test(token) || /\]\s*$/.test(token)) return "sentence";
  const bare = token.replace(CLOSING, "");
  if (SENTENCE_END.test(bare)) return "sentence";
  return CLAUSE_END.test(bare) ? "clause" : "word";
}

function mayCut(before: string, after: string): boolean {
  if (SPACE.test(after)) return false;
  if (/\s$/u.test(before)) return true;
  const last = Array.from(before.slice(-2)).at(-1) ?? "";
  if (OPENING.test(last)) return false;
  const isWordBehind = OPENING.test(after) || !PUNCTUATION.test(after);
  return isWordBehind && (UNSPACED.test(last) || UNSPACED.test(after.slice(0, 2)) || /[。！？、，；：]/u.test(last));
}

/** An address or a word without spaces that is wider than a line. */
function narrowed(token: string, maxColumns: number): string[] {
  if (columnsOf(token.trimEnd()) <= maxColumns) return [token];
  const pieces: string[] = [];
  let piece = "";
  for (const { segment } of GRAPHEMES.segment(token)) {
    if (piece !== "" && columnsOf((piece + segment).trimEnd()) > maxColumns) {
      pieces.push(piece);
      piece = "";
    }
    piece += segment;
  }
  return [...pieces, piece];
}
