import { dirname, join } from "node:path/posix";
import { findCitations, findOwnSections } from "./find-citations.ts";
import { findAnchors, findLinks, findNamedPaths } from "./links.ts";
import { readSections } from "./sections.ts";

export interface TextFile {
  /** Relative to the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface CitationReport {
  readonly citations: number;
  readonly links: number;
  readonly problems: readonly string[];
}

export interface CitationRules {
  /** Name of a page in citations and its path: `model`, `docs/spec/model.md`. */
  readonly pages: Readonly<Record<string, string>>;
  /** Ids of the conformance statements: `W01`. */
  readonly statements: ReadonlySet<string>;
  /** Folder whose files cite statements by their bare id. */
  readonly statementFolder: string;
  /** A folder next to some checkouts; files must not name it, since a clone has no such folder. */
  readonly outside: string;
  /** Whether a path of the repository exists, for links to files that are not in `files`. */
  readonly exists: (path: string) => boolean;
}

/** Checks that every citation of a specification, every statement's id and every relative link of a page resolves. */
export function checkCitations(files: readonly TextFile[], rules: CitationRules): CitationReport {
  const problems: string[] = [];
  const byPath = new Map(files.map((file) => [file.path, file.text]));
  const sections = new Map<string, ReadonlySet<string>>();
  for (const [page, path] of Object.entries(rules.pages)) {
    const read = readSections(byPath.get(path) ?? "");
    sections.set(page, read.ids);
    for (const problem of read.problems) problems.push(`${path}: ${problem}`);
  }
  let citations = 0;
  let links = 0;
  for (const { path, text } of files) {
    if (text.includes(rules.outside)) problems.push(`${path}: names ${rules.outside}, which a clone does not have`);
    const ownPage = Object.entries(rules.pages).find(([, pagePath]) => pagePath === path)?.[0];
    const found = findCitations(text);
    const all = [...found.citations, ...(ownPage === undefined ? [] : findOwnSections(text, ownPage))];
    citations += all.length;
    for (const { page, section, line } of all) {
      if (sections.get(page)?.has(section) === true) continue;
      problems.push(`${path}:${line}: ${rules.pages[page] ?? page} has no section or item ${section}`);
    }
    if (ownPage === undefined) {
      for (const stray of found.problems) {
        problems.push(
          `${path}:${stray.line}: "${stray.text}": cite as spec model §8.6 (pages: ${[...sections.keys()].join(", ")})`,
        );
      }
    }
    if (path.startsWith(rules.statementFolder) || ownPage !== undefined) {
      for (const { id, line } of statementsIn(text)) {
        citations++;
        if (!rules.statements.has(id)) problems.push(`${path}:${line}: statement ${id} does not exist`);
      }
    }
    if (path.endsWith(".md")) {
      for (const link of findLinks(text)) {
        links++;
        const problem = judgeLink(path, link.path, link.anchor, byPath, rules.exists);
        if (problem !== null) problems.push(`${path}:${link.line}: ${problem}`);
      }
      // A specification names files of other repositories.
      for (const named of ownPage === undefined ? findNamedPaths(text) : []) {
        if ([named.path, join(dirname(path), named.path)].some(rules.exists)) continue;
        problems.push(`${path}:${named.line}: names ${named.path}, which does not exist`);
      }
    }
  }
  return { citations, links, problems };
}

function statementsIn(text: string): { readonly id: string; readonly line: number }[] {
  return text
    .split("\n")
    .flatMap((line, index) => [...line.matchAll(/\b[WE]\d\d\b/g)].map(([id]) => ({ id, line: index + 1 })));
}

function judgeLink(
  from: string,
  path: string,
  anchor: string | null,
  byPath: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): string | null {
  const target = path === "" ? from : join(dirname(from), path);
  const text = byPath.get(target);
  if (text === undefined && !exists(target)) return `links to ${target}, which does not exist`;
  if (anchor === null || text === undefined) return null;
  return findAnchors(text).has(anchor) ? null : `links to ${target}#${anchor}, which has no such anchor`;
}
