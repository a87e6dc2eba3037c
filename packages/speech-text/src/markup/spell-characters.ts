/** The names of signs, in English; what has none here is left as it is. */
const SIGN_NAMES: Readonly<Record<string, string>> = {
  "!": "exclamation mark",
  '"': "quote",
  "#": "hash",
  $: "dollar",
  "%": "percent",
  "&": "ampersand",
  "'": "apostrophe",
  "(": "open parenthesis",
  ")": "close parenthesis",
  "*": "asterisk",
  "+": "plus",
  ",": "comma",
  "-": "dash",
  ".": "dot",
  "/": "slash",
  ":": "colon",
  ";": "semicolon",
  "<": "less than",
  "=": "equals",
  ">": "greater than",
  "?": "question mark",
  "@": "at",
  "[": "open bracket",
  "\\": "backslash",
  "]": "close bracket",
  "^": "caret",
  _: "underscore",
  "`": "backtick",
  "{": "open brace",
  "|": "pipe",
  "}": "close brace",
  "~": "tilde",
};

const CHARACTERS = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** A text character by character: letters as capitals, signs by name, all with blanks between them. */
export function spellCharacters(text: string): string {
  const spelled: string[] = [];
  for (const { segment } of CHARACTERS.segment(text)) {
    if (segment.trim() === "") continue;
    spelled.push(SIGN_NAMES[segment] ?? segment.toUpperCase());
  }
  return spelled.join(" ");
}
