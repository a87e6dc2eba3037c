import { viewOf } from "../decoder/byte-text.ts";
import { oggPackets, readOggLinks } from "../ogg/pages.ts";
import { readChunks } from "../wav/riff-chunks.ts";

/** Start in milliseconds, and title. */
export type ReadChapter = readonly [startMs: number, title: string];

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

/** The chapter frames of an ID3v2.4 tag, and how many its table of contents names. */
export function readId3Chapters(file: Uint8Array): { readonly contents: number; readonly chapters: ReadChapter[] } {
  const view = viewOf(file);
  const syncsafe = (at: number) => [0, 1, 2, 3].reduce((sum, i) => sum * 128 + view.getUint8(at + i), 0);
  const chapters: ReadChapter[] = [];
  let contents = 0;
  for (let at = 10; at < 10 + syncsafe(6);) {
    const [id, size, body] = [text(file.subarray(at, at + 4)), syncsafe(at + 4), at + 10];
    const afterName = file.indexOf(0, body) + 1;
    if (id === "CTOC") contents = view.getUint8(afterName + 1);
    // Name, two times, two offsets, and a title: a text frame with its encoding in front.
    if (id === "CHAP") chapters.push([view.getUint32(afterName), text(file.subarray(afterName + 27, body + size))]);
    at = body + size;
  }
  return { contents, chapters };
}

/** Comments as FLAC and Opus have them, from the length of the vendor's name on. */
function readComments(bytes: Uint8Array): Map<string, string> {
  const view = viewOf(bytes);
  let at = 4 + view.getUint32(0, true);
  const comments = new Map<string, string>();
  let left = view.getUint32(at, true);
  for (at += 4; left > 0; left--) {
    const end = at + 4 + view.getUint32(at, true);
    const [name = "", ...value] = text(bytes.subarray(at + 4, end)).split("=");
    comments.set(name, value.join("="));
    at = end;
  }
  return comments;
}

function chaptersOf(comments: Map<string, string>): ReadChapter[] {
  return [...comments.keys()]
    .filter((name) => /^CHAPTER\d{3}$/.test(name))
    .map((name) => {
      const [hours = 0, minutes = 0, seconds = 0] = (comments.get(name) ?? "").split(":").map(Number);
      return [Math.round((hours * 3600 + minutes * 60 + seconds) * 1000), comments.get(`${name}NAME`) ?? ""];
    });
}

export function readFlacChapters(file: Uint8Array): ReadChapter[] {
  const view = viewOf(file);
  for (let at = 4; at < file.length;) {
    const size = view.getUint32(at) & 0xff_ffff;
    if ((view.getUint8(at) & 0x7f) === 4) return chaptersOf(readComments(file.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return [];
}

export function readOpusChapters(file: Uint8Array): ReadChapter[] {
  const [link] = readOggLinks(file);
  const [stream] = link?.streams ?? [];
  if (link === undefined || stream === undefined) return [];
  const [, comments] = oggPackets(link, stream.serial);
  return comments === undefined ? [] : chaptersOf(readComments(comments.data.subarray("OpusTags".length)));
}

export function readWavChapters(file: Uint8Array, sampleRateHz: number): ReadChapter[] {
  const view = viewOf(file);
  const starts = new Map<number, number>();
  const chapters: ReadChapter[] = [];
  for (const { id, start } of readChunks(file, 12, false)) {
    if (id === "cue ") {
      for (let i = 0; i < view.getUint32(start, true); i++)
        starts.set(view.getUint32(start + 4 + i * 24, true), view.getUint32(start + 24 + i * 24, true));
    }
    if (id !== "LIST") continue;
    for (const label of readChunks(file, start + 4, false)) {
      const sample = starts.get(view.getUint32(label.start, true)) ?? Number.NaN;
      const title = text(file.subarray(label.start + 4, label.start + label.size - 1));
      chapters.push([Math.round((sample / sampleRateHz) * 1000), title]);
    }
  }
  return chapters;
}
