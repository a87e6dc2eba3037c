import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prepareText } from "./prepare-text.ts";
import type { TextOptions } from "./text-options.ts";

const OPTIONS: TextOptions = {
  format: "plain",
  code: "skip",
  emoji: "silent",
  voices: [],
  soundTags: ["[laugh]", "[cough]"],
  maxCharacters: 80_000,
  spellsOut: false,
  language: null,
};
const prepare = (text: string, options: Partial<TextOptions> = {}) => prepareText(text, { ...OPTIONS, ...options });

describe("prepareText of plain text", () => {
  it.each([
    "Hello, world!",
    "It's 5 p.m. (really) & we're at 20 °C — “so” they say… 100 %.",
    "Line one\nline two\n\nA paragraph.",
    "  indented\ttext  ",
    "[SPEAKER0] Hi. [laugh]\n[SPEAKER1] Hello!",
    "你好，世界。「真的」？",
    "今日は良い天気です。",
    "안녕하세요, 세계!",
    "Привет, мир!",
    "Γειά σου Κόσμε",
    "مرحبا بالعالم",
    "שלום עולם",
    "नमस्ते दुनिया",
    "สวัสดีชาวโลก",
    "Xin chào thế giới",
    "Příliš žluťoučký kůň",
    "a_b_c * d * e #5 ~7 `x`",
    "1. First\n2. Second\n- third",
    "5 < 6 > 4 & 3",
    "x <y> z",
    "mail@example.com https://example.com/a?b=c#d",
    '[pause 1.5s] [chapter "One"]',
    "Alice: Hi.\nBob: Hello.",
    "C'est la vie… n'est-ce pas ?",
    "¿Qué tal? ¡Bien!",
    "He said: [1] and [citation needed 2].",
    "5:30, 1/2, 3–4, 10^6, 2+2=4",
    "* * *",
    "<SE>[Laughter]</SE> Ha.",
    "\u00A0non-breaking\u00A0",
  ])("leaves %j to the model's own rules", async (text) => {
    expect(await prepare(text)).toEqual({ text, warnings: [] });
  });

  it.each([
    ["[speaker0] Hi\u200B 😀 there.\r(laughs)", "[SPEAKER0] Hi there.\n(laughs)", 3],
    ["\uFEFFHello", "Hello", 0],
    ["[SPEA\u200BKER1]: Hi", "[SPEAKER1] Hi", 1],
  ])("cleans and reads %j", async (text, spoken, count) => {
    const result = await prepare(text);
    expect(result.text).toBe(spoken);
    expect(result.warnings).toHaveLength(count);
  });

  it.each([
    ["ssml", '<speak>Hi <break time="1s"/></speak>'],
    ["ssml", "Hello <break/> there"],
    ["html", "<p>Hello</p>"],
    ["html", "Hello<br>there"],
    ["markdown", "# Title\n\nText"],
    ["markdown", "See [the docs](https://example.com)."],
    ["markdown", "This is **bold**."],
    ["markdown", "Run:\n```sh\nls\n```"],
  ])("says that it looks like %s: %j", async (format, text) => {
    const { warnings, text: spoken } = await prepare(text);
    expect(spoken).toBe(text);
    expect(warnings).toEqual([expect.stringContaining(`text_format "${format}" reads it`)]);
  });

  it("leaves everything of raw text as it is", async () => {
    const text = "[speaker0] 😀\u200B\r<speak>(laughs)</speak>";
    expect(await prepare(text, { format: "raw" })).toEqual({ text, warnings: [] });
  });
});

describe("prepareText of markup", () => {
  it("cleans what markup had hidden", async () => {
    const { text, warnings } = await prepare("<h1>&#x1F680; Go&shy;ing</h1><p>[speaker1] Ha &lt;b&gt; [laugh]</p>", {
      format: "html",
    });
    expect(text).toBe('[chapter "Going"]\nGoing.\n\n[SPEAKER1] Ha <b> [laugh].');
    expect(warnings).toHaveLength(1);
  });

  it("reads a podcast's script", async () => {
    const script = `# Episode 3: The *deep* sea 🐙

**Speaker 0:** Welcome back! (laughs)
**Speaker 1:** Thanks for having me.

---

**Speaker 0:** So, \`ROV\`s — what are they?

> Show notes: https://example.com/3
`;
    const { text, warnings } = await prepare(script, { format: "markdown" });
    expect(text).toBe(`[chapter "Episode 3: The deep sea"]
Episode 3: The deep sea.

[SPEAKER0] Welcome back! (laughs)
[SPEAKER1] Thanks for having me.

[pause 1500ms]

[SPEAKER0] So, ROVs — what are they?

Show notes: https://example.com/3.`);
    expect(warnings).toEqual([
      expect.stringContaining("Read 3 speaker tags in another spelling"),
      expect.stringContaining("the nearest that it knows is [laugh]"),
    ]);
  });

  it("reads the lines of a chat with emoji by name", async () => {
    const { text } = await prepare("Ana: 😱 **wow**  \nBen: ok 👍", { format: "markdown", emoji: "name" });
    expect(text).toBe("Ana: face screaming in fear, wow\nBen: ok, thumbs up.");
  });

  it("says numbers in words behind everything else", async () => {
    const { text } = await prepare("- 21 apples\n- [x] 3 pears", {
      format: "markdown",
      spellsOut: true,
      language: "en",
    });
    expect(text).toBe("twenty-one apples.\nthree pears.");
  });

  it("refuses what becomes too long", async () => {
    const text = "👩‍🚀 a ".repeat(20);
    await expect(prepare(text, { emoji: "name", maxCharacters: 100 })).rejects.toThrowError(
      /too long \(got \d+ characters, limit 100\)/,
    );
    expect((await prepare(text, { maxCharacters: 200 })).text).toContain("a a");
  });
});

describe("prepareText of hostile text", () => {
  const formats = ["plain", "markdown", "html", "ssml", "raw"] as const;
  const outcomeOf = async (text: string, options: Partial<TextOptions>): Promise<string> => {
    try {
      return typeof (await prepare(text, options)).text;
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  };

  it.each([
    ["openers", ["> ", "[", "![[", "<a ", "<!-- a ", "<?", "(a ", "*a ", "[pause ", '[chapter "', "&a", "```\n"]],
    ["nesting", ["<b>", "<ul><li>", "<table><tr><td>", "<p><voice name='a'>", "<i></b>", "- ", "<code>", "* - "]],
    ["repetition", ["a\n=\n", "a**bc* ", "|a|b\n|-|-\n", "[a]: b\n", "***\n", "<hr>", "[^1]", "^[a", "~~a ", "\\"]],
    [
      "characters",
      ["\u0301", "👩\u200D", "🇩", "1\uFE0F\u20E3", "\u200B", "\r", "\u0000", "[speaker", "speaker 1 ", "(laughs)"],
    ],
  ])("reads or refuses %s of 20000 characters in every format", async (_what, parts) => {
    for (const part of parts) {
      const text = `x${part.repeat(20_000 / part.length)}\n]>)*`;
      for (const format of formats) {
        expect(["string", "INVALID_INPUT"]).toContain(await outcomeOf(text, { format, code: "spell", emoji: "name" }));
      }
    }
  });

  it("reads or refuses anything", async () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string({ unit: "grapheme", maxLength: 8 }),
        fc.constantFrom(
          ..."# * ** _ ` ``` > - 1. | [ ] ( ) ! < > </p> <p> <break/> & &lt; [speaker1] 😀 \\ ~~".split(" "),
          "\n",
          "\n\n",
          " ",
        ),
      ),
      { maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(pieces, fc.constantFrom(...formats), async (parts, format) => {
        expect(["string", "INVALID_INPUT"]).toContain(await outcomeOf(parts.join(""), { format }));
      }),
    );
  });
});
