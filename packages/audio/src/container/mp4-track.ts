import { textAt, viewOf } from "../decoder/byte-text.ts";

/** Facts from an audio track's boxes that the container library does not expose. */
export interface Mp4Track {
  /** As the sample description names it: `mp4a`, `alac`, `twos`, … */
  readonly codecName: string;
  /** The magic cookie of Apple Lossless. */
  readonly alacCookie: Uint8Array | null;
  readonly timescale: number;
  /** Of the movie: the unit of edit durations. */
  readonly movieTimescale: number;
  readonly edit: Edit | null;
}

/** The first part of the track that is played. */
interface Edit {
  /** In the track's timescale. */
  readonly mediaTime: number;
  /** In the movie's timescale; 0 when unknown. */
  readonly duration: number;
  /** Nothing else is played. */
  readonly isOnly: boolean;
}

export interface Mp4Movie {
  /** By the track's number. */
  readonly tracks: ReadonlyMap<number, Mp4Track>;
  /** The samples are in fragments after the header, so the header's durations do not cover the whole file. */
  readonly isFragmented: boolean;
  /** iTunes' note of the encoder's delay. */
  readonly gapless: { readonly delaySamples: number; readonly samples: number } | null;
}

interface Box {
  readonly type: string;
  readonly content: Uint8Array;
}

const HEADER_BYTES = 8;
const LONG_HEADER_BYTES = 16;

/** Made-up files have millions of empty boxes. */
const MAX_BOXES = 10_000;

/** Reads the movie header. Damaged boxes are skipped; the container library decides about them. */
export function readMp4Movie(bytes: Uint8Array): Mp4Movie {
  const movie = find(bytes, "moov") ?? new Uint8Array(0);
  const header = find(movie, "mvhd");
  const movieTimescale = header === null ? 0 : numberAt(header, (header[0] ?? 0) === 1 ? 20 : 12);
  const tracks = new Map<number, Mp4Track>();
  for (const { type, content } of boxesOf(movie)) {
    if (type !== "trak") continue;
    const trackHeader = find(content, "tkhd");
    if (trackHeader === null) continue;
    const id = numberAt(trackHeader, (trackHeader[0] ?? 0) === 1 ? 20 : 12);
    tracks.set(id, { ...readTrack(content), movieTimescale });
  }
  return { tracks, isFragmented: find(movie, "mvex") !== null, gapless: readGapless(movie) };
}

function readTrack(track: Uint8Array): Omit<Mp4Track, "movieTimescale"> {
  const mediaHeader = find(track, "mdia", "mdhd");
  const timescale = mediaHeader === null ? 0 : numberAt(mediaHeader, (mediaHeader[0] ?? 0) === 1 ? 20 : 12);
  const description = find(track, "mdia", "minf", "stbl", "stsd");
  // Version, flags and the number of entries come first.
  const [entry] = description === null ? [] : [...boxesOf(description.subarray(8))];
  return {
    codecName: entry?.type ?? "",
    alacCookie: entry?.type === "alac" ? alacCookie(entry.content) : null,
    timescale,
    edit: readEdit(find(track, "edts", "elst")),
  };
}

/** The cookie is a box of the same name behind the sound description, or within `wave` in QuickTime. */
function alacCookie(entry: Uint8Array): Uint8Array | null {
  const version = numberAt(entry, 8) >>> 16;
  const rest = entry.subarray(version === 0 ? 28 : version === 1 ? 44 : 64);
  const cookie = find(rest, "alac") ?? find(rest, "wave", "alac");
  // Version and flags come first.
  return cookie === null ? null : cookie.subarray(4);
}

function readEdit(list: Uint8Array | null): Edit | null {
  if (list === null || list.length < 8) return null;
  const isLong = list[0] === 1;
  const entryBytes = isLong ? 20 : 12;
  const view = viewOf(list);
  const edits: { duration: number; mediaTime: number }[] = [];
  for (let place = 8; place + entryBytes <= list.length && edits.length < 2; place += entryBytes) {
    const duration = isLong ? Number(view.getBigUint64(place)) : view.getUint32(place);
    const mediaTime = isLong ? Number(view.getBigInt64(place + 8)) : view.getInt32(place + 4);
    // An empty edit: other tracks begin earlier.
    if (mediaTime >= 0) edits.push({ duration, mediaTime });
  }
  const [first] = edits;
  return first === undefined ? null : { ...first, isOnly: edits.length === 1 };
}

/** ` 00000000 00000840 000001CA 00000000003F31F6 …`: delay, padding and length in samples. */
const GAPLESS_NOTE = /iTunSMPB.{0,40} [\dA-F]{8} ([\dA-F]{8}) [\dA-F]{8} ([\dA-F]{16}) /s;

function readGapless(movie: Uint8Array): Mp4Movie["gapless"] {
  const place = Buffer.from(movie.buffer, movie.byteOffset, movie.byteLength).indexOf("iTunSMPB");
  if (place < 0) return null;
  const [, delay, samples] = GAPLESS_NOTE.exec(textAt(movie, place, 200)) ?? [];
  if (delay === undefined || samples === undefined) return null;
  return { delaySamples: Number.parseInt(delay, 16), samples: Number.parseInt(samples, 16) };
}

function find(bytes: Uint8Array, ...path: readonly string[]): Uint8Array | null {
  let content = bytes;
  for (const type of path) {
    let found: Uint8Array | null = null;
    for (const box of boxesOf(content)) {
      if (box.type !== type) continue;
      found = box.content;
      break;
    }
    if (found === null) return null;
    content = found;
  }
  return content;
}

function* boxesOf(bytes: Uint8Array): Generator<Box> {
  const view = viewOf(bytes);
  let count = 0;
  for (let place = 0; place + HEADER_BYTES <= bytes.length && count < MAX_BOXES; count++) {
    const short = view.getUint32(place);
    const isLong = short === 1 && place + LONG_HEADER_BYTES <= bytes.length;
    // 0 is up to the end.
    const size = isLong ? Number(view.getBigUint64(place + 8)) : short === 0 ? bytes.length - place : short;
    const start = place + (isLong ? LONG_HEADER_BYTES : HEADER_BYTES);
    if (size < start - place) return;
    yield { type: textAt(bytes, place + 4, 4), content: bytes.subarray(start, place + size) };
    place += size;
  }
}

/** 32 bits; 0 beyond the end. */
function numberAt(bytes: Uint8Array, offset: number): number {
  return offset + 4 <= bytes.length ? viewOf(bytes).getUint32(offset) : 0;
}
