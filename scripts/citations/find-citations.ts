export interface Citation {
  readonly page: string;
  /** `8.6`, `A.2`, `11.35`. */
  readonly section: string;
  readonly line: number;
}

export interface FoundCitations {
  readonly citations: readonly Citation[];
  readonly problems: readonly { readonly line: number; readonly text: string }[];
}

/** White space in comments: a citation may continue on the comment's next line. */
const SPACE = String.raw`(?:\s|\*(?=\s)|\/\/|#(?=\s))`;
const NUMBER = String.raw`§(?:\d+|[A-Z])(?:\.\d+)*`;
const NEXT = String.raw`(?:,|${SPACE}+(?:and|to|or|…))${SPACE}+`;
const LIST = `${NUMBER}(?:${NEXT}${NUMBER})*`;
const CITATION = new RegExp(String.raw`\bspec${SPACE}+(model|platform|contract)${SPACE}+(${LIST})`, "g");

/** A citation of the wrong form. */
const STRAY = new RegExp(
  String.raw`§|\bspec(?:ification)?${SPACE}+(?:(?:model|platform|contract)${SPACE}+)?\d|\bpitfalls?${SPACE}+\d`,
  "gi",
);

/** Finds all citations of the form `spec model §8.6, §9.1`, and near misses of that form. */
export function findCitations(text: string): FoundCitations {
  const citations: Citation[] = [];
  const rest = text.replaceAll(CITATION, (match: string, page: string, list: string, at: number) => {
    const line = lineOf(text, at);
    for (const [number] of list.matchAll(new RegExp(NUMBER, "g"))) {
      citations.push({ page, section: number.slice(1), line });
    }
    return match.replaceAll(/[^\n]/g, " ");
  });
  const problems = [...rest.matchAll(STRAY)].map((stray) => ({
    line: lineOf(rest, stray.index),
    text: rest.slice(stray.index, stray.index + 20).split("\n")[0] ?? "",
  }));
  return { citations, problems };
}

/** The numbers in a specification page that mean a section of the same page: `§8.6` without a page's name. */
export function findOwnSections(text: string, page: string): readonly Citation[] {
  const rest = text.replaceAll(CITATION, (match: string) => match.replaceAll(/[^\n]/g, " "));
  return [...rest.matchAll(new RegExp(NUMBER, "g"))].map((match) => ({
    page,
    section: match[0].slice(1),
    line: lineOf(rest, match.index),
  }));
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}
