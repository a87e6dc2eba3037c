/** A part of a line that one speaker says. */
export interface Turn {
  /** `SPEAKERn`; null before the first tag. */
  readonly tag: string | null;
  readonly isSpelledOtherwise: boolean;
  /** Without blanks around it if a tag was cut off. */
  readonly text: string;
}

/** `SPEAKER`, blanks or a dash, the number; `\p{Nd}` because the reference's tags may have digits of any script. */
const NAME = String.raw`speaker[\s_-]{0,3}(\p{Nd}{1,9})`;
const STRESS = String.raw`(?:\*{2,3}|__)?`;

/** In square brackets anywhere, with or without a colon behind; or in capitals with a colon. */
const WITHIN_LINE = new RegExp(
  String.raw`[[【]\s{0,3}${NAME}\s{0,3}[\]】](?:\s{0,3}[:：])?|(?<=\s)${NAME}[:：]`,
  "giu",
);
/** In other brackets or with a colon, where a turn begins; people and their programs like to set it in bold. */
const AT_START = new RegExp(
  String.raw`^\s{0,9}${STRESS}(?:[({<（《]\s{0,3}${NAME}\s{0,3}[)}>）》](?:\s{0,3}[:：])?|${NAME}${STRESS}\s{0,3}[:：])${STRESS}`,
  "iu",
);
/** The only spelling that the model knows. */
const EXACT = /^\[SPEAKER\p{Nd}+\]$/u;

/** The turns of one line, in order; a line without tags is one turn. */
export function readTurns(line: string): Turn[] {
  const turns: Turn[] = [];
  let tag: string | null = null;
  let isSpelledOtherwise = false;
  let start = 0;
  const endTurn = (end: number): void => {
    const rest = line.slice(start, end);
    const text = tag === null && end === line.length ? rest : rest.trim();
    if (tag !== null || text.trim() !== "") turns.push(...readStart({ tag, isSpelledOtherwise, text }));
  };
  for (const { 0: spelling, 1: bracketed, 2: bare, index } of line.matchAll(WITHIN_LINE)) {
    if (bare !== undefined && !spelling.startsWith("SPEAKER")) continue;
    endTurn(index);
    isSpelledOtherwise = !EXACT.test(spelling);
    tag = isSpelledOtherwise ? tagFor(bracketed ?? bare ?? "") : spelling.slice(1, -1);
    start = index + spelling.length;
  }
  endTurn(line.length);
  return turns.length === 0 ? [{ tag: null, isSpelledOtherwise: false, text: line }] : turns;
}

/** A turn that begins with tags in a spelling that counts only there. */
function readStart(turn: Turn): Turn[] {
  const turns: Turn[] = [];
  let rest = turn;
  for (let match = AT_START.exec(rest.text); match !== null; match = AT_START.exec(rest.text)) {
    if (rest.tag !== null) turns.push({ ...rest, text: "" });
    const tag = tagFor(match[1] ?? match[2] ?? "");
    rest = { tag, isSpelledOtherwise: true, text: rest.text.slice(match[0].length).trim() };
  }
  return [...turns, rest];
}

/** `SPEAKER_00`, as programs write that tell voices apart, is the first speaker. */
function tagFor(digits: string): string {
  return `SPEAKER${/^[0-9]+$/.test(digits) ? Number(digits) : digits}`;
}
