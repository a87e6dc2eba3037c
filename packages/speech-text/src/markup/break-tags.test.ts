import { describe, expect, it } from "vitest";
import { readBreakTags } from "./break-tags.ts";

const read = (text: string) => readBreakTags(text, { maxSeconds: 3 });

describe("readBreakTags", () => {
  it.each([
    ['One <break time="1.0s" /> two', "One [pause 1000ms] two"],
    ["One<break time='500ms'/>two", "One[pause 500ms]two"],
    ['<BREAK TIME="2s">two', "[pause 2000ms]two"],
    ['One <break time="1s"></break> two', "One [pause 1000ms] two"],
    ['One <break time="10s" /> two', "One [pause 3000ms] two"],
    ["One <break /> two", "One [pause 750ms] two"],
    ['One <break strength="none"/>two', "One two"],
  ])("reads %j", (text, spoken) => {
    expect(read(text)).toBe(spoken);
  });

  it.each([
    "Hello.",
    '<break time="soon" /> and <breakfast/>',
    "1 < 2 <3 a<b> <i>so</i> </i> </break> &amp; &#65; <!-- break --> \u{1F600}",
    '<speak version="1">x</speak>',
    "<break",
    "",
  ])("leaves all else as it is: %j", (text) => {
    expect(read(text)).toBe(text);
  });

  it("reads a tag behind other signs", () => {
    expect(read('I <3 you <b>so</b> <break time="1s" /> much &amp; more')).toBe(
      "I <3 you <b>so</b> [pause 1000ms] much &amp; more",
    );
  });
});
