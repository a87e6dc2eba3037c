export interface Link {
  /** A path relative to the file that links, or empty for a link within the file. */
  readonly path: string;
  readonly anchor: string | null;
  readonly line: number;
}

/** The relative links of a Markdown page, except addresses and code. */
export function findLinks(markdown: string): readonly Link[] {
  const links: Link[] = [];
  let isCode = false;
  markdown.split("\n").forEach((line, index) => {
    if (line.startsWith("```")) isCode = !isCode;
    if (isCode) return;
    for (const [, target = ""] of line.replaceAll(/`[^`]*`/g, "").matchAll(/\]\(<?([^)>\s]+)>?\)/g)) {
      if (/^[a-z]+:/i.test(target)) continue;
      const [path = "", anchor = null] = target.split("#");
      links.push({ path, anchor, line: index + 1 });
    }
  });
  return links;
}

/** The anchors of a Markdown page: those that GitHub makes of headings, and `<a id>`. */
export function findAnchors(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  let isCode = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("```")) isCode = !isCode;
    if (isCode) continue;
    const heading = /^#+ (.*)$/.exec(line)?.[1];
    if (heading !== undefined) anchors.add(slug(heading));
    for (const [, id = ""] of line.matchAll(/<a id="([^"]+)">/g)) anchors.add(id);
  }
  return anchors;
}

function slug(heading: string): string {
  return heading
    .replaceAll(/[*`]|\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}

const ROOT_FOLDERS = "apps|packages|scripts|docs|examples|findings|demo-checkpoint|bench";

/** The files and folders of the repository that a Markdown page names in backticks; `NAME` in a path stands for any. */
export function findNamedPaths(markdown: string): readonly { readonly path: string; readonly line: number }[] {
  const named = new RegExp(`\`((?:${ROOT_FOLDERS})/[\\w./-]+)\``, "g");
  return markdown
    .split("\n")
    .flatMap((line, index) => [...line.matchAll(named)].map(([, path = ""]) => ({ path, line: index + 1 })))
    .filter(({ path }) => !path.split("/").includes("NAME") && !path.includes("NAME."));
}
