import { expect, it } from "vitest";
import { MAX_FILE_CHAPTERS, fileChapters } from "./chapters.ts";
import { DEFAULT_DECODE_LIMITS } from "./decoder/limits.ts";
import { decodeHere } from "./decoding/decode-here.ts";
import { oggChecksum } from "./ogg/page-checksum.ts";
import { readOggLinks } from "./ogg/pages.ts";
import { openOutputStream, type OutputOptions } from "./output-stream.ts";
import { noise } from "./testing/describe-audio-encoder.ts";
import { concat } from "./testing/made-files.ts";
import {
  readFlacChapters,
  readId3Chapters,
  readOpusChapters,
  readWavChapters,
  type ReadChapter,
} from "./testing/read-chapters.ts";

const RATE_HZ = 24_000;
const PCM = noise(RATE_HZ * 3, 5, 0.3);
const TITLES = ["One", "Zwei – größer", "三"];
const TAGS = { title: "A title", encoder: "a program" };

type Marked = "wav" | "mp3" | "flac" | "opus";

const READERS: Readonly<Record<Marked, (file: Uint8Array) => ReadChapter[]>> = {
  wav: (file) => readWavChapters(file, RATE_HZ),
  mp3: (file) => readId3Chapters(file).chapters,
  flac: readFlacChapters,
  opus: readOpusChapters,
};

const FORMATS = ["wav", "mp3", "flac", "opus"] as const;

async function written(
  fields: Partial<OutputOptions> & Pick<OutputOptions, "format">,
  starts: readonly number[],
  purpose: "file" | "live" = "file",
): Promise<Uint8Array> {
  const options = { inputRateHz: RATE_HZ, sampleRateHz: null, tags: TAGS, chapterTitles: TITLES, ...fields };
  const stream = await openOutputStream({ ...options, purpose });
  const parts: Uint8Array[] = [];
  for (let start = 0; start < PCM.length; start += 5_000)
    parts.push(await stream.write(PCM.subarray(start, start + 5_000)));
  const { tail, head } = await stream.end(starts);
  const bytes = concat(...parts, tail);
  if (head !== null) bytes.set(head);
  return bytes;
}

it.each(FORMATS)("marks chapters in %s, and leaves the audio as it is", async (format) => {
  const file = await written({ format }, [0, 0.5, 2.123]);
  expect(READERS[format](file)).toEqual([
    [0, "One"],
    [500, "Zwei – größer"],
    [2123, "三"],
  ]);
  const plain = await written({ format, chapterTitles: [] }, []);
  const samples = async (bytes: Uint8Array) => (await decodeHere(bytes, DEFAULT_DECODE_LIMITS)).samples;
  expect(await samples(file)).toEqual(await samples(plain));
});

it.each(FORMATS)("marks a second of %s at half the speed where it is heard", async (format) => {
  const file = await written({ format, speed: 0.5, loudnessLufs: -23 }, [0, 1, 2]);
  expect(READERS[format](file).map(([startMs]) => startMs)).toEqual([0, 2000, 4000]);
});

it.each(FORMATS)("writes no chapter into a live stream of %s", async (format) => {
  const live = await written({ format }, [0, 0.5, 2.123], "live");
  expect(live).toEqual(await written({ format, chapterTitles: [] }, [], "live"));
  expect(Buffer.from(live).includes("größer")).toBe(false);
});

it.each(FORMATS)("a file of %s without chapters is what it was", async (format) => {
  expect(await written({ format, chapterTitles: undefined }, [])).toEqual(
    await written({ format, chapterTitles: [] }, [1]),
  );
});

it.each(FORMATS)("%s marks as many as fit, with titles of one line", async (format) => {
  const titles = Array.from({ length: 300 }, (_, i) => (i === 0 ? `  a\n\0b${"ü".repeat(300)}` : `Chapter ${i}`));
  const file = await written(
    { format, chapterTitles: titles },
    titles.map((_, i) => i / 100),
  );
  const chapters = READERS[format](file);
  expect(chapters).toHaveLength(MAX_FILE_CHAPTERS);
  expect(chapters[0]?.[1]).toBe(`a b${"ü".repeat(196)}…`);
  expect(chapters.at(-1)).toEqual([2540, "Chapter 254"]);
});

it("names all chapters of an MP3 in its table of contents", async () => {
  expect(readId3Chapters(await written({ format: "mp3" }, [0, 1, 2])).contents).toBe(3);
});

it("keeps the checksums of Ogg pages right when the comments fill several of them", async () => {
  const titles = Array.from({ length: 255 }, (_, i) => `${i} ${"三".repeat(190)}`);
  const file = await written({ format: "opus", chapterTitles: titles }, []);
  const pages = readOggLinks(file).flatMap((link) => link.pages);
  expect(pages.filter(({ isContinued }) => isContinued).length).toBeGreaterThan(1);
  for (const { bytes } of pages) {
    const copy = Buffer.from(bytes);
    copy.writeUInt32LE(0, 22);
    expect(oggChecksum(copy)).toBe(Buffer.from(bytes).readUInt32LE(22));
  }
});

it("puts a chapter whose place nobody told at the end", () => {
  expect(fileChapters(["a", "b"], [1, 9], 2)).toEqual([
    { title: "a", startMs: 1000, endMs: 2000 },
    { title: "b", startMs: 2000, endMs: 2000 },
  ]);
  expect(fileChapters(["a"], [], 2)).toEqual([{ title: "a", startMs: 2000, endMs: 2000 }]);
});
