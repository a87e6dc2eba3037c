import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { planSpeech } from "./speech-plan.ts";
import { textRequest } from "./testing/text-request.ts";
import { holdsWholeText } from "./whole-text.ts";

/** The texts of `npm run check:long-texts`. */
const FOLDER = join(import.meta.dirname, "../../../../scripts/long-texts");
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));
const LIMITS = { maxFramesPerChunk: 2039, allowTruncated: false };
/** Scripts that set words apart. */
const HAS_WORDS = /\.(?:ar|de|en|es|fr|hi|it|ru)\./;

/** What normalization leaves as it is. */
const lettersOf = (text: string): string => text.replaceAll(/[^\p{L}\p{M}\p{N}]/gu, "");

describe("the plan of a long text", () => {
  it("is shown for twelve of 5000 to 20000 characters", () => {
    const sizes = NAMES.map((name) => Array.from(readFileSync(join(FOLDER, name), "utf8")).length);
    expect(sizes).toHaveLength(12);
    expect(sizes.every((size) => size >= 5000 && size <= 20_000)).toBe(true);
  });

  it.each(NAMES)("%s is the whole text in chunks of whole sentences", (name) => {
    const transcript = readFileSync(join(FOLDER, name), "utf8");
    const plan = planSpeech(textRequest({ transcript, chunkMethod: "auto" }), LIMITS);
    const { chunks } = plan;
    expect(plan.method).toBe("sentence");
    expect(holdsWholeText(plan)).toBe(true);
    expect(lettersOf(chunks.map(({ text }) => text).join(""))).toBe(lettersOf(transcript));
    const frames = chunks.map(({ expectedFrames }) => expectedFrames);
    expect(Math.max(...frames)).toBeLessThanOrEqual(30 * 25 + 1);
    expect(Math.min(...frames)).toBeGreaterThan(2 * 25);
    // Only sentences longer than a chunk are divided.
    expect(chunks.filter(({ end }) => end === "clause").length).toBeLessThan(chunks.length / 2);
    const wordCounts = chunks.map(({ text }) => text.split(/\s+/).length);
    expect(HAS_WORDS.test(name) ? Math.min(...wordCounts) : 2).toBeGreaterThan(1);
  });
});
