/** Enough text for the segmenter to see whole words; its cost grows with the square of the piece's length. */
const MAX_PIECE_LENGTH = 500;

/** Kana in more than a tenth of the ideographs means Japanese; Chinese texts hold at most a stray one. */
const MAX_KANA_SHARE = 0.1;

let segmenter: Intl.Segmenter | undefined;

/**
 * Whether a text is mostly Chinese: more ideographs than words of other scripts, and hardly any kana. It stands in for
 * the reference's language classifier, of which only this decision matters (spec model §6.1).
 */
export function isMostlyChinese(text: string): boolean {
  const ideographs = countMatches(text, /\p{Script=Han}/gu);
  const kana = countMatches(text, /[\p{Script=Hiragana}\p{Script=Katakana}]/gu);
  const otherWords = countMatches(text, /(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])\p{L})+/gu);
  return ideographs > otherWords && kana <= ideographs * MAX_KANA_SHARE;
}

/** Words, punctuation marks and spaces of a Chinese text by ICU's dictionary, in order; joined they give the text again. */
export function segmentChineseWords(text: string): string[] {
  segmenter ??= new Intl.Segmenter("zh", { granularity: "word" });
  const words: string[] = [];
  for (const piece of splitAtPunctuation(text)) {
    for (const { segment } of segmenter.segment(piece)) words.push(segment);
  }
  return words;
}

/** Pieces that end after punctuation or whitespace, where a word ends anyway, and at the latest after `MAX_PIECE_LENGTH`. */
function splitAtPunctuation(text: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const [part] of text.matchAll(/[^\p{P}\s]+|[\p{P}\s]+/gu)) {
    for (const bounded of boundedParts(part)) {
      if (piece.length + bounded.length > MAX_PIECE_LENGTH) {
        pieces.push(piece);
        piece = "";
      }
      piece += bounded;
    }
  }
  if (piece !== "") pieces.push(piece);
  return pieces;
}

function boundedParts(part: string): string[] {
  if (part.length <= MAX_PIECE_LENGTH) return [part];
  const characters = Array.from(part);
  const parts: string[] = [];
  for (let i = 0; i < characters.length; i += MAX_PIECE_LENGTH / 2) {
    parts.push(characters.slice(i, i + MAX_PIECE_LENGTH / 2).join(""));
  }
  return parts;
}

function countMatches(text: string, pattern: RegExp): number {
  let count = 0;
  for (const _match of text.matchAll(pattern)) count++;
  return count;
}
