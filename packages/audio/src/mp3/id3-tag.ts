import type { AudioTags } from "../audio-encoder.ts";
import type { FileChapter } from "../chapters.ts";
import { joinBytes } from "../join-bytes.ts";

const HEADER_BYTES = 10;
const UTF8 = 3;

/** Of a whole tag without chapters: titles and encoder names are short. */
export const MAX_TAG_BYTES = 1024;

/** A place in bytes that is not given: players go by the time. */
const NO_OFFSET = 0xffff_ffff;
/** Of a table of contents: it is the outermost, and its entries are in order. */
const TOP_LEVEL_ORDERED = 3;

/**
 * An ID3v2.4 tag; empty without tags and chapters. Chapters are frames of their own (ID3v2 Chapter Frame Addendum), in order in a
 * table of contents.
 */
export function id3Tag({ title, encoder }: AudioTags = {}, chapters: readonly FileChapter[] = []): Uint8Array {
  const frames: Uint8Array[] = [];
  if (title !== undefined) frames.push(textFrame("TIT2", title));
  if (encoder !== undefined) frames.push(textFrame("TSSE", encoder));
  if (chapters.length > 0) frames.push(contentsFrame(chapters.length), ...chapters.map(chapterFrame));
  if (frames.length === 0) return new Uint8Array(0);
  const body = joinBytes(frames);
  return joinBytes([Buffer.from("ID3\u0004\u0000\u0000", "latin1"), syncsafe(body.length), body]);
}

function textFrame(id: string, text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  return frame(id, joinBytes([Uint8Array.of(UTF8), bytes]));
}

function contentsFrame(count: number): Uint8Array {
  const facts = Uint8Array.of(TOP_LEVEL_ORDERED, count);
  return frame("CTOC", joinBytes([elementId("toc"), facts, ...Array.from({ length: count }, (_, i) => chapterId(i))]));
}

function chapterFrame({ title, startMs, endMs }: FileChapter, index: number): Uint8Array {
  const places = Buffer.alloc(16);
  for (const [i, value] of [startMs, endMs, NO_OFFSET, NO_OFFSET].entries()) places.writeUInt32BE(value, i * 4);
  return frame("CHAP", joinBytes([chapterId(index), places, textFrame("TIT2", title)]));
}

function chapterId(index: number): Uint8Array {
  return elementId(`chp${index}`);
}

function elementId(name: string): Uint8Array {
  return Buffer.from(`${name}\0`, "latin1");
}

function frame(id: string, content: Uint8Array): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(Buffer.from(id, "latin1"));
  header.set(syncsafe(content.length), 4);
  return joinBytes([header, content]);
}

/** Four times seven bits, so that a size never looks like a frame of audio. */
function syncsafe(size: number): Uint8Array {
  return Uint8Array.of((size >> 21) & 0x7f, (size >> 14) & 0x7f, (size >> 7) & 0x7f, size & 0x7f);
}
