/** Longest title of a chapter, in characters. */
const MAX_TITLE_CHARACTERS = 200;

/**
 * The mark for a silence in spoken text.
 *
 * @param seconds from 0; written with milliseconds at most
 */
export function pauseMark(seconds: number): string {
  return `[pause ${Math.round(seconds * 1000)}ms]`;
}

/**
 * The mark for the beginning of a chapter, for a line of its own; null where nothing is left of the title. Marks, quotes and
 * line ends within the title are left out, since they would end it.
 */
export function chapterMark(title: string): string | null {
  const words = title
    .replaceAll(/[[【][^[\]【】]{0,1000}[\]】]/g, " ")
    .replaceAll(/["“”„[\]【】]/g, "'")
    .replaceAll(/\s+/g, " ")
    .trim();
  const short = Array.from(words).slice(0, MAX_TITLE_CHARACTERS).join("").trim();
  return /[\p{L}\p{N}\p{S}]/u.test(short) ? `[chapter "${short}"]` : null;
}

/** The text without its marks for pauses and chapters, which are not spoken. */
export function withoutMarks(text: string): string {
  return text.replaceAll(/\[(?:pause|chapter)(?![\p{L}\p{N}_])[^[\]\n]{0,300}\]/giu, " ");
}
