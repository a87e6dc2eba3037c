/** Glyphs of 3 × 5 dots, a row of three bits a digit, for the labels of a time axis. */
const GLYPHS: Readonly<Record<string, string>> = {
  "0": "75557",
  "1": "26227",
  "2": "71747",
  "3": "71717",
  "4": "55711",
  "5": "74717",
  "6": "74757",
  "7": "71222",
  "8": "75757",
  "9": "75717",
  ".": "00002",
  s: "34216",
};

const GLYPH_WIDTH = 3;
export const GLYPH_HEIGHT = 5;

/** Width in dots of a text, one dot between glyphs. */
export function textWidth(text: string): number {
  return text.length === 0 ? 0 : text.length * (GLYPH_WIDTH + 1) - 1;
}

/** Calls `plot(x, y)` for every set dot of `text`, from (0, 0) at the upper left. Unknown characters are left blank. */
export function drawText(text: string, plot: (x: number, y: number) => void): void {
  for (const [index, character] of Array.from(text).entries()) {
    const rows = Array.from(GLYPHS[character] ?? "");
    for (const [y, row] of rows.entries()) {
      for (let x = 0; x < GLYPH_WIDTH; x++) {
        if ((Number(row) >> (GLYPH_WIDTH - 1 - x)) & 1) plot(index * (GLYPH_WIDTH + 1) + x, y);
      }
    }
  }
}
