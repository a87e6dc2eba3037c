import type { TextFile } from "./check.ts";

const FOLDER = "docs/decisions/";
const PARAGRAPHS = ["Context", "Decision", "Measured", "Consequences", "Rejected"];
const NEEDED = ["Context", "Decision"];

/** Checks that decisions are numbered from 0001 without gaps and have the form of docs/decisions/README.md. */
export function checkDecisions(files: readonly TextFile[]): readonly string[] {
  const problems: string[] = [];
  const decisions = files
    .filter(({ path }) => path.startsWith(FOLDER) && path !== `${FOLDER}README.md`)
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  decisions.forEach(({ path, text }, index) => {
    const number = /^(\d{4})-[a-z0-9-]+\.md$/.exec(path.slice(FOLDER.length))?.[1];
    const expected = String(index + 1).padStart(4, "0");
    if (number === undefined) problems.push(`${path}: the name is not NNNN-short-name.md`);
    else if (number !== expected) problems.push(`${path}: the next number is ${expected}`);
    if (!text.startsWith(`# ${number ?? expected} `))
      problems.push(`${path}: the title does not begin with its number`);
    const found = [...text.matchAll(/^\*\*([A-Z][\w ]+)\.?\*\*/gm)].map(([, name = ""]) => name);
    const missing = NEEDED.filter((name) => !found.includes(name));
    if (missing.length > 0) problems.push(`${path}: has no paragraph **${missing.join(".**, **")}.**`);
    const inOrder = PARAGRAPHS.filter((name) => found.includes(name));
    if (found.join() !== inOrder.join()) {
      problems.push(
        `${path}: its paragraphs are ${found.join(", ")}; allowed, in this order: ${PARAGRAPHS.join(", ")}`,
      );
    }
  });
  return problems;
}
