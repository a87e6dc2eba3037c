import { expect, it } from "vitest";
import { isSpeakable } from "./speakable.ts";

it.each([
  ["a word", "Hi"],
  ["a digit", "[SPEAKER0] 7"],
  ["Chinese", "你"],
  ["kana", "ー ほ"],
  ["Hangul", "안"],
  ["Arabic", "سلام"],
  ["a sound", "<SE>[Laughter]</SE>"],
  ["a sound as it is written", "[SPEAKER1] [laugh]"],
  ["words that look like a tag", "[speaker0]"],
  ["a letter between signs", "… a!"],
])("%s can be spoken", (_name, text) => {
  expect(isSpeakable(text)).toBe(true);
});

it.each([
  ["nothing", ""],
  ["blanks of all kinds", " \t\r\n\u00a0\u2003\u2028\u3000\u0085\u001c\ufeff"],
  ["zero-width characters", "\u200b\u200c\u200d\u2060\u00ad\u034f\ufe0f"],
  ["directions", "\u202a\u202e\u2066\u2069\u200f"],
  ["letters without a form", "\u3164\u115f\u1160\uffa0"],
  ["signs", "… — !?.,;:'\"()[]{}<>/\\|_-+=*&^%$#@~`"],
  ["full-width signs", "，。！？（）【】《》、…"],
  ["pictures", "🙂🎉👩‍👩‍👧‍👦🏳️‍🌈🇩🇪ℹ️™️©️"],
  ["a tag", "[SPEAKER0]"],
  ["tags in a row", "[SPEAKER0] [SPEAKER١][SPEAKER10]"],
  ["a tag in other brackets", "【SPEAKER0】"],
  ["a tag and signs", "[SPEAKER0] ... 🙂"],
  ["a sound without a name", "<SE></SE> <SE_s></SE_s><SE_e></SE_e>"],
  ["accents alone", "\u0301\u0308"],
  ["modifiers alone", "ˈ ː ʼ"],
])("%s cannot", (_name, text) => {
  expect(isSpeakable(text)).toBe(false);
});
