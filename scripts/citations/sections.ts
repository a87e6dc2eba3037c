const HEADING = /^#{2,3} (?:Appendix )?([A-Z]|\d+)((?:\.\d+)*)\.? \S/;
const LIST_ITEM = /^(\d+)\. /;
const TABLE_ROW = /^\| (\d+) \|/;

export interface Sections {
  /** All citable ids: `8.6`, `A.2`, and `11.35` for item 35 of a list or table in section 11. */
  readonly ids: ReadonlySet<string>;
  readonly problems: readonly string[];
}

/** Reads the numbered sections and items of a specification page. Each section must have its number as an anchor. */
export function readSections(markdown: string): Sections {
  const ids = new Set<string>();
  const problems: string[] = [];
  let section: string | null = null;
  let anchor: string | null = null;
  for (const line of linesOutsideFences(markdown)) {
    const heading = HEADING.exec(line);
    if (heading !== null) {
      section = `${heading[1]}${heading[2]}`;
      if (ids.has(section)) problems.push(`section ${section} stands twice`);
      if (anchor !== section) problems.push(`section ${section} has no anchor: put <a id="${section}"></a> above it`);
      ids.add(section);
    } else if (section !== null) {
      const item = LIST_ITEM.exec(line) ?? TABLE_ROW.exec(line);
      if (item !== null) ids.add(`${section}.${item[1]}`);
    }
    if (line !== "") anchor = /^<a id="([^"]+)"><\/a>$/.exec(line)?.[1] ?? null;
  }
  return { ids, problems };
}

function linesOutsideFences(markdown: string): string[] {
  let isCode = false;
  return markdown.split("\n").filter((line) => {
    if (line.startsWith("```")) isCode = !isCode;
    return !isCode;
  });
}
