/** A chapter of a finished file. */
export interface FileChapter {
  readonly title: string;
  /** From the start of the file. */
  readonly startMs: number;
  /** The next one's start, or the end of the file. */
  readonly endMs: number;
}

/** MP3 counts the entries of a table of contents in one byte. */
export const MAX_FILE_CHAPTERS = 255;

/** Longest title in a file, in characters: players show one line. */
const MAX_TITLE_CHARS = 200;

/**
 * The chapters of a file, whose marks are as long before their places are known as after: `startSeconds` is empty then. Those
 * beyond `MAX_FILE_CHAPTERS` have no mark.
 */
export function fileChapters(
  titles: readonly string[] = [],
  startSeconds: readonly number[] = [],
  fileSeconds = 0,
): FileChapter[] {
  const startMs = (index: number) => Math.round(Math.min(startSeconds[index] ?? fileSeconds, fileSeconds) * 1000);
  return titles.slice(0, MAX_FILE_CHAPTERS).map((title, index) => ({
    title: cleanTitle(title),
    startMs: startMs(index),
    endMs: index + 1 < titles.length ? startMs(index + 1) : Math.round(fileSeconds * 1000),
  }));
}

function cleanTitle(title: string): string {
  const clean = title.replaceAll(/\p{Cc}+/gu, " ").trim();
  const characters = Array.from(clean);
  return characters.length <= MAX_TITLE_CHARS ? clean : `${characters.slice(0, MAX_TITLE_CHARS - 1).join("")}…`;
}
