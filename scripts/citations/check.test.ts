import { describe, expect, it } from "vitest";
import { checkCitations, type TextFile } from "./check.ts";
import { findCitations } from "./find-citations.ts";
import { findAnchors, findLinks } from "./links.ts";
import { readSections } from "./sections.ts";

const MODEL = [
  "# The model",
  '<a id="8"></a>',
  "",
  "## 8. Sampling",
  "",
  '<a id="8.6"></a>',
  "",
  "### 8.6 Stopping",
  "",
  "1. first rule, see §8",
  "2. second rule",
  "",
  '<a id="A"></a>',
  "",
  "## Appendix A. Vectors",
  "",
  "| # | What |",
  "|---|---|",
  "| 7 | row |",
].join("\n");

function problemsOf(...files: TextFile[]): readonly string[] {
  return checkCitations([{ path: "docs/spec/model.md", text: MODEL }, ...files], {
    pages: { model: "docs/spec/model.md" },
    statements: new Set(["W01"]),
    statementFolder: "packages/runpod-worker/",
    outside: "../beside",
    exists: (path) => path === "LICENSE",
  }).problems;
}

const source = (text: string, path = "packages/audio/src/a.ts") => ({ path, text });

describe("readSections()", () => {
  it("knows sections, appendices, and numbered items of lists and tables", () => {
    expect([...readSections(MODEL).ids]).toEqual(["8", "8.6", "8.6.1", "8.6.2", "A", "A.7"]);
    expect(readSections(MODEL).problems).toEqual([]);
  });

  it("wants an anchor above each section, and each number once", () => {
    expect(readSections('<a id="1"></a>\n\n## 1. One\n\n## 2. Two').problems).toEqual([
      'section 2 has no anchor: put <a id="2"></a> above it',
    ]);
    expect(readSections('<a id="1"></a>\n## 1. One\n<a id="1"></a>\n## 1. Again').problems).toEqual([
      "section 1 stands twice",
    ]);
  });

  it("takes nothing from code", () => {
    expect([...readSections("```sh\n## 1. comment\n```").ids]).toEqual([]);
  });
});

describe("findCitations()", () => {
  it.each([
    ["one", "see spec model §8.6.", ["8.6"]],
    ["a list", "spec model §8.6, §9.1 and §A.4", ["8.6", "9.1", "A.4"]],
    ["a range", "spec model §5.1 … §6.2", ["5.1", "6.2"]],
    ["over the end of a doc comment's line", " * as in spec\n * model §8.6,\n * §9", ["8.6", "9"]],
    ["over the end of a line comment", "// spec model\n// §8.6", ["8.6"]],
  ])("reads %s", (_name, text, sections) => {
    const found = findCitations(text);
    expect(found.citations.map(({ section }) => section)).toEqual(sections);
    expect(found.problems).toEqual([]);
  });

  it.each([
    "design §5",
    "(§7.4)",
    "specification 3.5, rule 5",
    "pitfall 35",
    "spec 7, 8",
    "spec model 8.6",
    "spec other §1",
  ])("refuses the form %s", (text) => {
    expect(findCitations(text).problems).toHaveLength(1);
  });

  it("counts the lines of what it finds", () => {
    expect(findCitations("\n\nspec model §8\n§9")).toEqual({
      citations: [{ page: "model", section: "8", line: 3 }],
      problems: [{ line: 4, text: "§9" }],
    });
  });
});

describe("checkCitations()", () => {
  it("passes citations that resolve", () => {
    expect(problemsOf(source("// spec model §8.6.2, §A.7"), source("W01", "packages/runpod-worker/src/a.ts"))).toEqual(
      [],
    );
  });

  it("names a section, an item and a statement that do not exist, with file and line", () => {
    expect(problemsOf(source("\n// spec model §8.7"), source("// spec model §8.6.3"))).toEqual([
      "packages/audio/src/a.ts:2: docs/spec/model.md has no section or item 8.7",
      "packages/audio/src/a.ts:1: docs/spec/model.md has no section or item 8.6.3",
    ]);
    expect(problemsOf(source("(W02)", "packages/runpod-worker/src/a.ts"))).toEqual([
      "packages/runpod-worker/src/a.ts:1: statement W02 does not exist",
    ]);
    expect(problemsOf(source("W02 is a hall in this file"))).toEqual([]);
  });

  it("names a file that a page mentions and that does not exist", () => {
    expect(problemsOf(source("see `docs/GONE.md`, `src/x.ts` and `packages/NAME/a.ts`", "docs/PAGE.md"))).toEqual([
      "docs/PAGE.md:1: names docs/GONE.md, which does not exist",
    ]);
  });

  it("names a file that needs a folder next to the repository", () => {
    expect(problemsOf(source('open("../beside/set.json")'))).toEqual([
      "packages/audio/src/a.ts: names ../beside, which a clone does not have",
    ]);
  });

  it("names a link to a file or an anchor that does not exist", () => {
    const page = "[a](spec/model.md#8.6) [b](spec/model.md#86-stopping) [c](../LICENSE) [d](https://example.com/x#y)";
    expect(problemsOf(source(page, "docs/PAGE.md"))).toEqual([]);
    expect(problemsOf(source("[a](spec/model.md#8.9)\n[b](gone.md)", "docs/PAGE.md"))).toEqual([
      "docs/PAGE.md:1: links to docs/spec/model.md#8.9, which has no such anchor",
      "docs/PAGE.md:2: links to docs/gone.md, which does not exist",
    ]);
  });
});

describe("links", () => {
  it("finds relative links and leaves code and addresses alone", () => {
    expect(findLinks("[x](a.md#b)\n```\n[no](c.md)\n```\n`[no](d.md)` [y](#e) [z](https://f.g)")).toEqual([
      { path: "a.md", anchor: "b", line: 1 },
      { path: "", anchor: "e", line: 5 },
    ]);
  });

  it("makes anchors as GitHub does", () => {
    expect([...findAnchors('# The `higgs` command\n## 8.6 Stopping, limits & more\n<a id="x.1"></a>')]).toEqual([
      "the-higgs-command",
      "86-stopping-limits--more",
      "x.1",
    ]);
  });
});
