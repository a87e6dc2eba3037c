import type { TextOptions } from "../text-options.ts";
import type { StepResult } from "../text-step.ts";
import { readLineEnds } from "./line-ends.ts";
import { readTurns } from "./read-turns.ts";

/** Line by line, what was read as a change of speaker although it is not written as one. */
interface Findings {
  /** Numbers of lines, from 1, one for each finding. */
  readonly withinLines: number[];
  readonly otherSpellings: number[];
}

/**
 * Dialogue as people write it: every turn becomes a line that begins with its `[SPEAKERn]`, wherever the tag stood and however
 * it was spelled. Names such as `Alice:` are text, since only numbers say whose voice it is.
 */
export function readDialogue(text: string, { format }: Pick<TextOptions, "format">): StepResult {
  const lineEnds = readLineEnds(text);
  const findings: Findings = { withinLines: [], otherSpellings: [] };
  const lines = lineEnds.text.split("\n").flatMap((line, index) => readLine(line, index + 1, findings));
  const isAsWritten = format === "plain";
  return { text: lines.join("\n"), warnings: warningsOf(findings, lineEnds.unusual, isAsWritten) };
}

function readLine(line: string, number: number, findings: Findings): string[] {
  const turns = readTurns(line);
  const isUnchanged = turns.every(
    ({ tag, isSpelledOtherwise }, index) => index === 0 || (tag === null && !isSpelledOtherwise),
  );
  if (isUnchanged && turns[0]?.isSpelledOtherwise !== true) return [line];
  for (const [index, { tag, isSpelledOtherwise }] of turns.entries()) {
    if (isSpelledOtherwise) findings.otherSpellings.push(number);
    if (index > 0 && tag !== null) findings.withinLines.push(number);
  }
  return turns.map(({ tag, text }) => (tag === null ? text : `[${tag}] ${text}`.trimEnd()));
}

function warningsOf(
  { withinLines, otherSpellings }: Findings,
  unusualLineEnds: number,
  isAsWritten: boolean,
): string[] {
  const first = ([line]: readonly number[]): string => (isAsWritten ? ` (the first in line ${line})` : "");
  const warnings: string[] = [];
  if (unusualLineEnds > 0) {
    warnings.push(
      `Read ${counted(unusualLineEnds, "character")} such as a carriage return or U+2028 as ${unusualLineEnds === 1 ? "the end of a line" : "ends of lines"}`,
    );
  }
  if (otherSpellings.length > 0) {
    warnings.push(
      `Read ${counted(otherSpellings.length, "speaker tag")} in another spelling, such as [speaker0] or SPEAKER0:, as [SPEAKERn]${first(otherSpellings)}`,
    );
  }
  // The lines of markup are not those of what is read of it.
  if (withinLines.length > 0 && isAsWritten) {
    warnings.push(
      `Began a new line before ${counted(withinLines.length, "speaker tag")} that stood within a line${first(withinLines)}`,
    );
  }
  return warnings;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
