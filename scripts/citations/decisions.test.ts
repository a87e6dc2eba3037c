import { expect, it } from "vitest";
import { checkDecisions } from "./decisions.ts";

const decision = (name: string, text: string) => ({ path: `docs/decisions/${name}`, text });
const GOOD = "\n\n**Context.** Why.\n\n**Decision.** What.\n\n**Rejected.** Other.\n";

it("passes decisions in the form, and leaves the README and other pages alone", () => {
  const files = [
    decision("0002-b.md", `# 0002 B${GOOD}`),
    decision("0001-a.md", `# 0001 A${GOOD}`),
    decision("README.md", "# Decisions"),
    { path: "docs/LOG.md", text: "# Log" },
  ];
  expect(checkDecisions(files)).toEqual([]);
});

it.each([
  [
    "a gap",
    [decision("0001-a.md", `# 0001 A${GOOD}`), decision("0003-c.md", `# 0003 C${GOOD}`)],
    "next number is 0002",
  ],
  [
    "a number taken twice",
    [decision("0001-a.md", `# 0001 A${GOOD}`), decision("0001-b.md", `# 0001 B${GOOD}`)],
    "0002",
  ],
  ["a name of another form", [decision("one.md", `# 0001 A${GOOD}`)], "not NNNN-short-name.md"],
  ["a title without its number", [decision("0001-a.md", `# A${GOOD}`)], "title"],
  ["a missing paragraph", [decision("0001-a.md", "# 0001 A\n\n**Decision.** What.\n")], "no paragraph **Context.**"],
  ["another order", [decision("0001-a.md", "# 0001 A\n\n**Decision.** X.\n\n**Context.** Y.\n")], "in this order"],
  ["a paragraph of another name", [decision("0001-a.md", `# 0001 A${GOOD}\n**Why.** Z.\n`)], "Rejected, Why"],
])("refuses %s", (_name, files, problem) => {
  expect(checkDecisions(files).join("\n")).toContain(problem);
});
