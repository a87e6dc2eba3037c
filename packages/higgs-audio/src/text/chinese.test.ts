import { describe, expect, it, vi } from "vitest";
import { isMostlyChinese, segmentChineseWords } from "./chinese.ts";

describe("isMostlyChinese", () => {
  it.each([
    ["今天天气真好, 我们一起去公园散步吧.", true],
    ["大语言模型 (LLM) 是一种人工智能模型, 2025年非常流行.", true],
    ["你好", true],
    ["今日は天気がいいですね。公園に行きましょう。", false],
    ["안녕하세요 오늘 날씨가 좋네요", false],
    ["The sun rises in the east.", false],
    ["中文 and English mixed together in one sentence here", false],
    ["", false],
    ["123 456", false],
  ])("%j: %s", (text, expected) => {
    expect(isMostlyChinese(text)).toBe(expected);
  });
});

describe("segmentChineseWords", () => {
  it("finds words", () => {
    const words = segmentChineseWords("我们一起去公园散步吧.");
    expect(words).toContain("公园");
    expect(words).toContain(".");
  });

  it.each([
    ["a long paragraph without punctuation", "今天天气真好我们".repeat(2500)],
    ["one with", "今天天气真好, 我们一起去公园散步吧. ".repeat(1000)],
    ["astral ideographs", "𠜎𠜱".repeat(2000)],
    ["nothing", ""],
  ])("loses no character of %s, and gives the segmenter short pieces only", (_name, text) => {
    const segment = vi.spyOn(Intl.Segmenter.prototype, "segment");
    const words = segmentChineseWords(text);
    const lengths = segment.mock.calls.map(([piece]) => piece.length);
    segment.mockRestore();
    // The segmenter's time grows with the square of a piece's length.
    expect(Math.max(0, ...lengths)).toBeLessThanOrEqual(500);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(text.length);
    expect(words.join("")).toBe(text);
    expect(words.every((word) => !/\p{Surrogate}/u.test(word))).toBe(true);
  });
});
