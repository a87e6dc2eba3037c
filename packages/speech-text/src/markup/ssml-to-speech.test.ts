import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ssmlToSpeech } from "./ssml-to-speech.ts";

const read = (ssml: string, voices: readonly (string | null)[] = []) => ssmlToSpeech(ssml, { voices }).text;
const speak = (inner: string) => `<speak>${inner}</speak>`;

describe("ssmlToSpeech", () => {
  it.each([
    ["text", speak("Hello there."), "Hello there."],
    ["a part of a document", 'Hello <break time="1s"/> there.', "Hello [pause 1000ms] there."],
    ["a declaration", '<?xml version="1.0" encoding="UTF-8"?>\n<speak>Hi</speak>', "Hi."],
    [
      "namespaces and a language",
      '<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">Hi</speak>',
      "Hi.",
    ],
    ["blanks", speak("\n  a\n  b\t c "), "a b c."],
    ["seconds", speak('a <break time="1.5s"/> b'), "a [pause 1500ms] b."],
    ["milliseconds", speak('a<break time="250ms"/>b'), "a [pause 250ms] b."],
    ["other ways to write a time", speak('<break time="+2s"/>a<break time=".5S"/>'), "[pause 2000ms] a. [pause 500ms]"],
    ["a break without more", speak("a<break/>b"), "a [pause 750ms] b."],
    ["a strong break", speak('a<break strength="x-strong"/>b'), "a [pause 1250ms] b."],
    ["a weak break", speak('a<break strength="weak"></break>b'), "a [pause 500ms] b."],
    ["no break", speak('a<break strength="none"/>b <break time="0s"/>c'), "ab c."],
    ["a time that is more exact than a strength", speak('a<break strength="weak" time="3s"/>b'), "a [pause 3000ms] b."],
    ["paragraphs", speak("<p>One.</p><p>Two</p>"), "One.\n\nTwo."],
    ["sentences", speak("<p><s>One</s><s>Two?</s> <s>Three</s></p>"), "One. Two? Three."],
    ["sentences without paragraphs", speak("<s>One</s> and <s>two</s>"), "One. and. two."],
    [
      "what stands for something else",
      speak('The <sub alias="World Wide Web Consortium">W3C</sub> met.'),
      "The World Wide Web Consortium met.",
    ],
    ["elements within", speak('<sub alias="x">a<p>b</p></sub>c'), "xc."],
    ["characters", speak('<say-as interpret-as="characters">WHO</say-as>!'), "W H O!"],
    ["spelling", speak('<say-as interpret-as="spell-out">a1-b</say-as>'), "A 1 dash B."],
    ["verbatim", speak('<say-as interpret-as="verbatim">é x</say-as>'), "É X."],
    ["digits", speak('Code <say-as interpret-as="digits">4071</say-as>.'), "Code 4 0 7 1."],
    ["one voice", speak('<voice name="Kendra">Hi</voice>'), "Hi."],
    [
      "two voices",
      speak('<voice name="Kendra">Hi.</voice><voice name="Joey">Hello.</voice><voice name="Kendra">Bye.</voice>'),
      "[SPEAKER0] Hi.\n[SPEAKER1] Hello.\n[SPEAKER0] Bye.",
    ],
    [
      "a voice and a narrator",
      speak('He said: <voice name="Joey">No.</voice> And left.'),
      "[SPEAKER0] He said:\n[SPEAKER1] No.\n[SPEAKER0] And left.",
    ],
    [
      "a voice in a voice",
      speak('<voice name="a">One. <voice name="b">Two.</voice> Three.</voice>'),
      "[SPEAKER0] One.\n[SPEAKER1] Two.\n[SPEAKER0] Three.",
    ],
    [
      "voices by number",
      speak('<voice name="SPEAKER1">Hi.</voice><voice name="0">Hello.</voice>'),
      "[SPEAKER1] Hi.\n[SPEAKER0] Hello.",
    ],
    [
      "paragraphs of a voice",
      speak('<voice name="a"><p>One.</p><p>Two.</p></voice><voice name="b">Three.</voice>'),
      "[SPEAKER0] One.\n\nTwo.\n\n[SPEAKER1] Three.",
    ],
    ["entities of XML", speak("AT&amp;T &lt;3 &quot;x&quot; &#233;&#x20AC;"), 'AT&T <3 "x" é€.'],
    ["CDATA", speak("<![CDATA[a < b & c]]>"), "a < b & c."],
    ["comments", speak("a<!-- b -->c"), "ac."],
    ["nothing", speak(""), ""],
  ])("reads %s", (_what, ssml, spoken) => {
    expect(read(ssml)).toBe(spoken);
  });

  it("chooses voices by the names of the references", () => {
    const ssml = speak('Once. <voice name="Chadwick">Hi.</voice><voice name="speaker0">Hello.</voice>');
    expect(read(ssml, ["belinda", "chadwick"])).toBe("[SPEAKER0] Once.\n[SPEAKER1] Hi.\n[SPEAKER0] Hello.");
    expect(read(speak('<voice name="chadwick">Hi.</voice>'), ["belinda", "chadwick"])).toBe("[SPEAKER1] Hi.");
    expect(read(speak("Hi."), ["belinda", "chadwick"])).toBe("Hi.");
    expect(read(speak('<voice name="belinda">Hi.</voice>'), ["belinda"])).toBe("Hi.");
  });

  it("reads a skill's answer", () => {
    const ssml = `<speak>
  <p><s>Welcome to <sub alias="Trivia Night">TN</sub>!</s> <s>Question one</s></p>
  <break time="800ms"/>
  <p>What does <say-as interpret-as="spell-out">NASA</say-as> stand for? <break strength="strong"/></p>
  <voice name="Matthew"><p>Too easy.</p></voice>
  <p>Five &amp; a half points.</p>
</speak>`;
    expect(read(ssml)).toBe(`[SPEAKER0] Welcome to Trivia Night! Question one.

[pause 800ms]

What does N A S A stand for? [pause 1000ms]

[SPEAKER1] Too easy.

[SPEAKER0] Five & a half points.`);
  });

  it.each([
    [
      '<speak>\n <prosody rate="slow">a</prosody></speak>',
      "line 2, column 2: <prosody> is not supported (limit speak, p, s, break, sub, say-as, voice)",
    ],
    [speak('<emphasis level="strong">a</emphasis>'), "line 1, column 8: <emphasis> is not supported"],
    [speak('<amazon:effect name="whispered">a</amazon:effect>'), "<amazon:effect> is not supported"],
    [speak('<audio src="https://example.com/a.mp3"/>'), "<audio> is not supported"],
    [speak('<phoneme alphabet="ipa" ph="x">a</phoneme>'), "<phoneme> is not supported"],
    [
      speak('<say-as interpret-as="date">1/2</say-as>'),
      'has an interpret-as that is not supported (got "date", limit characters, spell-out, verbatim, digits)',
    ],
    [speak("<say-as>a</say-as>"), "<say-as> has an interpret-as that is not supported (got none"],
    [
      speak('<say-as interpret-as="characters" format="glyph">a</say-as>'),
      "has an attribute that is not supported (got format, limit interpret-as)",
    ],
    [speak("<sub>a</sub>"), "<sub> needs an alias"],
    [speak("<voice>a</voice>"), "<voice> needs a name"],
    [
      speak('<voice name="a" gender="female">a</voice>'),
      "has an attribute that is not supported (got gender, limit name)",
    ],
    [speak('<p class="x">a</p>'), "has an attribute that is not supported (got class, limit none)"],
    [speak('<break time="long"/>'), "<break> has a time that cannot be read"],
    [speak('<break time="5"/>'), "<break> has a time that cannot be read"],
    [speak('<break time="61s"/>'), "<break> is too long (got 61 s, limit 60 s)"],
    [speak('<break strength="huge"/>'), "<break> has an unknown strength (limit none, x-weak"],
    [
      "<speak>a</p></speak>",
      "it is not well-formed at line 1, column 12: unexpected close tag; write & as &amp; and < as &lt;",
    ],
    [speak("AT&T"), "it is not well-formed"],
    [speak("&nbsp;"), "it is not well-formed at line 1, column 13: undefined entity"],
    [speak("a\u0001"), "it is not well-formed at line 1, column 9: disallowed character"],
    ['<!DOCTYPE speak SYSTEM "file:///etc/passwd"><speak>a</speak>', "a document type declaration is not supported"],
    [
      '<?xml version="1.0"?><!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>',
      "a document type declaration is not supported",
    ],
  ])("refuses %j", (ssml, why) => {
    expect(() => read(ssml)).toThrowError(expect.objectContaining({ code: "INVALID_INPUT" }));
    expect(() => read(ssml)).toThrowError(why);
  });

  it("refuses a voice that the job does not have, and lists all problems at once", () => {
    const ssml = speak('<voice name="joey">a</voice>\n<audio/><mark name="x"/>');
    const problems = [
      'line 1, column 8: <voice> names a voice that is not in ref_audio (got "joey", limit belinda, SPEAKERn)',
      "line 2, column 1: <audio> is not supported",
      "line 2, column 9: <mark> is not supported",
    ];
    for (const problem of problems) expect(() => read(ssml, ["belinda", null])).toThrowError(problem);
    expect(() => read(speak("<x/>".repeat(1000)))).toThrowError(/; and 980 more$/);
  });

  it("knows no entities that grow", () => {
    const entities = Array.from({ length: 9 }, (_, k) => `<!ENTITY e${k + 1} "${`&e${k};`.repeat(10)}">`).join("");
    const laughs = `<!DOCTYPE speak [<!ENTITY e0 "ha">${entities}]><speak>&e9;</speak>`;
    expect(() => read(laughs)).toThrowError("a document type declaration is not supported");
  });

  it("refuses elements that are nested too deeply", () => {
    expect(() => read(`${"<p>".repeat(20_000)}a${"</p>".repeat(20_000)}`)).toThrowError(/nested too deeply/);
  });

  it("gives text or says why not, whatever comes", () => {
    const parts = fc.constantFrom(
      ..."<speak> </speak> <p> </p> <s> </s> <break/> <sub> </sub> <voice> </voice> <x> & &amp; &#0; < > ]]> <![CDATA[ <!-- --> <!DOCTYPE".split(
        " ",
      ),
      "<sub alias='a'>",
      "<voice name='a'>",
      "<say-as interpret-as='digits'>",
      "</say-as>",
      "word ",
      "\u0000",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 40 }), (pieces) => {
        const outcome = (): string => {
          try {
            return typeof read(pieces.join(""));
          } catch (error) {
            return (error as { code?: string }).code ?? String(error);
          }
        };
        expect(["string", "INVALID_INPUT"]).toContain(outcome());
      }),
    );
  });
});
