import type { AudioTags } from "./audio-encoder.ts";
import type { FileChapter } from "./chapters.ts";
import { joinBytes } from "./join-bytes.ts";

/** What stands in the comments of FLAC and Ogg files, in order. */
export type VorbisComments = readonly (readonly [name: string, value: string])[];

/** The contents of a VORBIS_COMMENT block, and of the second packet of Opus behind its name. */
export function vorbisComment(vendor: string, comments: VorbisComments): Uint8Array {
  const texts = comments.map(([name, value]) => `${name}=${value}`);
  return joinBytes([sized(vendor), size(texts.length), ...texts.map(sized)]);
}

/** The comments of tags and chapters (`CHAPTER001`, as in Ogg's ChapterExtension), as long as the titles whatever the times. */
export function fileComments(
  { title, encoder }: AudioTags = {},
  chapters: readonly FileChapter[] = [],
): VorbisComments {
  return [
    ...(title === undefined ? [] : [["TITLE", title] as const]),
    ...(encoder === undefined ? [] : [["ENCODER", encoder] as const]),
    ...chapters.flatMap(chapterComments),
  ];
}

function chapterComments({ title, startMs }: FileChapter, index: number): VorbisComments {
  const name = `CHAPTER${String(index + 1).padStart(3, "0")}`;
  return [
    [name, clockTime(startMs)],
    [`${name}NAME`, title],
  ];
}

/** `01:02:03.004`, of one length up to 100 hours. */
function clockTime(ms: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const rest = String(ms % 1000).padStart(3, "0");
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}.${rest}`;
}

function sized(text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  return joinBytes([size(bytes.length), bytes]);
}

function size(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
