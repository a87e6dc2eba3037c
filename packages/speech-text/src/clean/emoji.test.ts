import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { speakEmoji } from "./emoji.ts";

const silent = (text: string) => speakEmoji(text, { emoji: "silent" }).text;
const named = (text: string) => speakEmoji(text, { emoji: "name" }).text;

describe("speakEmoji", () => {
  it.each([
    ["Great 👍!", "Great!", "Great, thumbs up!"],
    ["I love it 😍", "I love it", "I love it, smiling face with heart-eyes"],
    ["😂😂😂 no", "no", "face with tears of joy, no"],
    ["So 😀 so 😀.", "So so.", "So, grinning face, so, grinning face."],
    ["🚀 Quick start", "Quick start", "rocket, Quick start"],
    ["a😀b", "a b", "a, grinning face, b"],
    ["Hi.😀", "Hi.", "Hi. grinning face"],
    ['"🎉 Yes"', '"Yes"', '"party popper, Yes"'],
    ["one 🎉\ntwo", "one\ntwo", "one, party popper\ntwo"],
    ["👨‍👩‍👧‍👦", "", "family man, woman, girl, boy"],
    ["👩🏿‍🚀 up", "up", "woman astronaut, up"],
    ["👍🏽 ok", "ok", "thumbs up, ok"],
    ["🇫🇷 and 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "and", "flag France, and, flag Scotland"],
    ["I ❤️ you, I ❤ you", "I you, I you", "I, red heart, you, I, red heart, you"],
    ["1️⃣ First, 2⃣ second", "1 First, 2 second", "1 First, 2 second"],
    ["ok 🏽", "ok", "ok"],
    ["🎉 🎉 😀", "", "party popper, grinning face"],
    ["你好😀。", "你好。", "你好, grinning face。"],
  ])("reads %j", (text, spoken, withNames) => {
    expect(silent(text)).toBe(spoken);
    expect(named(text)).toBe(withNames);
  });

  it.each([
    "© 2024 Example™, ® 1 ↔ 2, № 5, ◼ ▪, 3 × 4 = 12, 20 °C, 5 €, #1, *, 0 … 9",
    "※ † ‡ • → ← ★ ☆ ✓ 〽",
    "Hello.\n\n  [SPEAKER0] Hi [laugh]",
    "㊗ ‼ ⁉",
    "",
  ])("leaves signs of writing alone: %j", (text) => {
    expect(silent(text)).toBe(text);
    expect(named(text)).toBe(text);
  });

  it("reads a chat", () => {
    const chat = "Ana: omg 😱😱 did you see that?! 🔥\nBen: yes 😂… sooo good 👏👏👏\nAna: 🥳🎂 party at 8️⃣?";
    expect(silent(chat)).toBe("Ana: omg did you see that?!\nBen: yes… sooo good\nAna: party at 8?");
    expect(named(chat)).toBe(
      "Ana: omg, face screaming in fear, did you see that?! fire\nBen: yes, face with tears of joy… sooo good, clapping hands\nAna: partying face, birthday cake, party at 8?",
    );
  });

  it("loses no letter and no digit, and leaves no emoji", () => {
    const parts = fc.constantFrom(
      "word",
      " ",
      "1",
      "😀",
      "👩‍🚀",
      "👍🏽",
      "🇩🇪",
      "🇩",
      "❤️",
      "3️⃣",
      "\u200D",
      "\uFE0F",
      "\n",
      ".",
      "!",
      "你",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 30 }), (pieces) => {
        const text = pieces.join("");
        const letters = (some: string) => some.match(/[\p{L}\p{Nd}]/gu) ?? [];
        expect(letters(silent(text))).toEqual(letters(text));
        expect(silent(text)).not.toMatch(/[\p{Emoji_Presentation}\p{Regional_Indicator}]/u);
        expect(named(text)).not.toMatch(/[\p{Emoji_Presentation}\p{Regional_Indicator}]/u);
      }),
    );
  });
});
