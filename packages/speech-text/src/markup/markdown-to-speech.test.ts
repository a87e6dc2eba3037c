import { describe, expect, it } from "vitest";
import { markdownToSpeech } from "./markdown-to-speech.ts";

const read = (markdown: string) => markdownToSpeech(markdown, { code: "skip" }).text;

describe("markdownToSpeech", () => {
  it.each([
    ["a paragraph", "Hello there.", "Hello there."],
    ["soft line ends", "A long\nparagraph that\ngoes on.", "A long paragraph that goes on."],
    ["hard line ends", "Rose Street 5  \nLondon\\\nEngland", "Rose Street 5\nLondon\nEngland."],
    ["paragraphs", "One.\n\n\n\nTwo", "One.\n\nTwo."],
    [
      "stress",
      "This is *very* **important**, ***really***, __so__ and _so_.",
      "This is very important, really, so and so.",
    ],
    ["struck text", "~~Old~~ new.", "Old new."],
    ["snake_case and 2*3*4", "The snake_case_name is 2 * 3 * 4.", "The snake_case_name is 2 * 3 * 4."],
    ["a heading", "# Getting *started*", '[chapter "Getting started"]\nGetting started.'],
    ["a heading that asks", "## Why?", '[chapter "Why?"]\nWhy?'],
    ["an underlined heading", "Title\n=====\n\nText", '[chapter "Title"]\nTitle.\n\nText.'],
    ["quotes in a heading", '# The "best" [way]', `[chapter "The 'best'"]\nThe "best" [way].`],
    ["a link", 'See [the docs](https://example.com/a?b=c "title").', "See the docs."],
    ["a link by reference", "See [the docs][1].\n\n[1]: https://example.com", "See the docs."],
    ["an address", "Go to <https://example.com>.", "Go to https://example.com."],
    ["a bare address", "Go to https://example.com now.", "Go to https://example.com now."],
    ["an image", "![A red house](house.png)", "A red house."],
    ["an image without words", "![](house.png)Text", "Text."],
    ["badges", "[![Build](b.svg)](c) [![npm](n.svg)](p)", "Build npm."],
    ["a list", "- apples\n- pears!\n* plums", "apples.\npears!\n\nplums."],
    ["a loose list", "- apples\n\n- pears", "apples.\n\npears."],
    ["a numbered list", "1. Boil water\n2. Add salt.\n3. Wait", "1. Boil water.\n2. Add salt.\n3. Wait."],
    ["a list that begins with another number", "7. seven\n8. eight", "7. seven.\n8. eight."],
    ["a list in a list", "1. one\n   - inner\n   - other\n2. two", "1. one.\ninner.\nother.\n2. two."],
    ["a loose numbered list", "1. One\n\n   more\n\n2. Two", "1. One.\n\nmore.\n\n2. Two."],
    ["tasks", "- [x] done\n- [ ] open", "done.\nopen."],
    ["a quote", "> To be\n> or not\n\nHamlet", "To be or not.\n\nHamlet."],
    ["a table", "| Name | Born |\n|---|---|\n| Ada | 1815 |\n| Alan | |", "Name: Ada, Born: 1815.\nName: Alan."],
    ["a table whose cells are sentences", "|a|b|\n|-|-|\n|Yes.|No?|", "a: Yes, b: No?"],
    [
      "a break",
      "One.\n\n***\n\nTwo.\n\n---\n___\n\nThree.",
      "One.\n\n[pause 1500ms]\n\nTwo.\n\n[pause 1500ms]\n\nThree.",
    ],
    ["code in a sentence", "Run `npm ci` first.", "Run npm ci first."],
    ["a block of code", "Run this:\n\n```sh\nnpm ci\n```\n\nThen wait.", "Run this:\n\nThen wait."],
    ["indented code", "Run:\n\n    npm ci\n\nDone", "Run:\n\nDone."],
    ["code that is never closed", "Look:\n\n~~~\nx = 1", "Look:"],
    ["entities", "Tom &amp; Jerry &copy; 2020 &lt;3", "Tom & Jerry © 2020 <3."],
    ["escapes", "1\\. not a list \\*at all\\*", "1. not a list *at all*."],
    ["HTML", '<p align="center"><b>Big</b><br>news</p>\n\nText <kbd>Esc</kbd>', "Big\nnews.\n\nText Esc."],
    ["HTML that is not seen", "A<!-- secret -->B<script>alert(1)</script><style>x{}</style>", "AB."],
    ["details", "<details>\n<summary>More</summary>\n\nInner *text*\n\n</details>", "More.\n\nInner text."],
    ["footnotes", "Water[^1] is wet.\n\n[^1]: H2O.", "Water is wet.\n\n[pause 1500ms]\n\n1. H2O."],
    ["front matter", "---\ntitle: A post\ntags:\n  - x\n---\nHello", "Hello."],
    ["what is no front matter", "---\n\nOne\n\n---\n\nTwo", "[pause 1500ms]\n\nOne.\n\n[pause 1500ms]\n\nTwo."],
    ["speakers", "[SPEAKER0] Hi.\n[SPEAKER1] Hello.", "[SPEAKER0] Hi.\n[SPEAKER1] Hello."],
    ["speakers in bold", "**Speaker 0:** Hi.\n**Speaker 1:** Hello.", "Speaker 0: Hi.\nSpeaker 1: Hello."],
    ["marks and sounds", "Wait [pause 1.5s] what [laugh]", "Wait [pause 1.5s] what [laugh]."],
    ["Chinese", "# 标题\n\n- 第一\n- 第二。", '[chapter "标题"]\n标题。\n\n第一。\n第二。'],
    ["lines of Chinese and Japanese", "今天天气\n很好。\n今日は\nabc です", "今天天气很好。今日は abc です。"],
    ["Hindi and Thai", "- नमस्ते\n- สวัสดี", "नमस्ते।\nสวัสดี"],
    ["nothing", "", ""],
    ["only signs", "---\n\n![](x)\n\n```\na\n```", "[pause 1500ms]"],
  ])("reads %s", (_what, markdown, spoken) => {
    expect(read(markdown)).toBe(spoken);
  });

  it("reads the README of a project", () => {
    const readme = `---
layout: page
---
<p align="center"><img src="logo.svg" alt="Sparrow" width="200"></p>

# Sparrow

[![CI](https://img.example/ci.svg)](https://ci.example) [![License: MIT](https://img.example/mit.svg)](LICENSE)

> A small, **fast** HTTP client for [Node.js](https://nodejs.org).

## Install

\`\`\`sh
npm install sparrow
\`\`\`

## Usage

Call \`sparrow.get(url)\`:

1. Create a client.
2. Call it:
   - with a URL, or
   - with a request

| Option | Default | Meaning |
|--------|:-------:|---------|
| \`timeout\` | 30 s | how long it waits |
| \`retries\` | 2 | |

***

Made with care[^care].

[^care]: And tests.
`;
    expect(markdownToSpeech(readme, { code: "skip" })).toEqual({
      text: `Sparrow.

[chapter "Sparrow"]
Sparrow.

CI License: MIT.

A small, fast HTTP client for Node.js.

[chapter "Install"]
Install.

[chapter "Usage"]
Usage.

Call sparrow.get(url):

1. Create a client.
2. Call it:
with a URL, or.
with a request.

Option: timeout, Default: 30 s, Meaning: how long it waits.
Option: retries, Default: 2.

[pause 1500ms]

Made with care.

[pause 1500ms]

1. And tests.`,
      warnings: ['Left out 1 block of code; code "spell" speaks it character by character'],
    });
  });

  it("spells code, if that is wanted", () => {
    const { text, warnings } = markdownToSpeech("Run `ls -l`:\n\n```\na=1;\nb\n```", { code: "spell" });
    expect(text).toBe("Run L S dash L:\n\nA equals 1 semicolon.\nB.");
    expect(warnings).toEqual([]);
  });

  it("does not repeat long addresses", () => {
    const markdown = `[a]: https://example.com/${"x".repeat(10_000)}\n\n${"[a] ".repeat(3_000)}`;
    expect(read(markdown)).toBe(`${"a ".repeat(3_000).trim()}.`);
  });

  it.each([
    ["quotes", `${">".repeat(5_000)} a`],
    ["lists", `${"- ".repeat(5_000)}a`],
    ["elements", "<b>".repeat(5_000)],
  ])("refuses %s that are nested too deeply, instead of leaving something out", (_what, markdown) => {
    expect(() => read(markdown)).toThrowError(/nested too deeply \(got .*, limit \d+\)/);
  });

  it("reads 40 quotes within each other", () => {
    expect(read(`${"> ".repeat(40)}deep`)).toBe("deep.");
  });
});
