import { textAt, viewOf } from "../decoder/byte-text.ts";

/** Facts from a track's elements that the container library does not expose. */
export interface MatroskaTrack {
  readonly number: number;
  /** For example `A_OPUS`. */
  readonly codecId: string;
  readonly codecPrivate: Uint8Array | null;
  /** What the codec decodes before the audio begins. */
  readonly codecDelayNs: number;
  /** What the last block decodes past the end of the audio. */
  readonly discardPaddingNs: number;
}

type Draft = { -readonly [Key in keyof MatroskaTrack]: MatroskaTrack[Key] };

/** Made-up files have millions of tracks. */
const MAX_TRACKS = 100;

const SEGMENT = 0x18538067;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;
const CODEC_DELAY = 0x56aa;
const CLUSTER = 0x1f43b675;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const SIMPLE_BLOCK = 0xa3;
const DISCARD_PADDING = 0x75a2;

/** Elements to descend into; one of unknown size reaches to the end. */
const ENTERED: ReadonlySet<number> = new Set([SEGMENT, TRACKS, TRACK_ENTRY, CLUSTER, BLOCK_GROUP]);

interface Element {
  readonly id: number;
  readonly content: Uint8Array;
}

/** The tracks of a Matroska or WebM file. Damaged elements end the search. */
export function readMatroskaTracks(bytes: Uint8Array): readonly MatroskaTrack[] {
  const tracks: Draft[] = [];
  let blockTrack: Draft | undefined;
  for (const { id, content } of elementsOf(bytes)) {
    const track = tracks.at(-1);
    if (id === TRACK_ENTRY && tracks.length < MAX_TRACKS) tracks.push(newTrack());
    else if (id === BLOCK || id === SIMPLE_BLOCK) {
      const number = variableNumber(content, 0, true)?.value;
      blockTrack = tracks.find((candidate) => candidate.number === number);
      // Padding of an earlier block was not at the end.
      if (blockTrack !== undefined) blockTrack.discardPaddingNs = 0;
    } else if (id === DISCARD_PADDING) {
      if (blockTrack !== undefined) blockTrack.discardPaddingNs = Math.max(0, signedOf(content));
    } else if (track !== undefined) readField(track, id, content);
  }
  return tracks;
}

function newTrack(): Draft {
  return { number: 0, codecId: "", codecPrivate: null, codecDelayNs: 0, discardPaddingNs: 0 };
}

function readField(track: Draft, id: number, content: Uint8Array): void {
  if (id === TRACK_NUMBER) track.number = unsignedOf(content);
  if (id === CODEC_ID) track.codecId = textAt(content, 0, 100).split("\0")[0] ?? "";
  if (id === CODEC_PRIVATE) track.codecPrivate = content;
  if (id === CODEC_DELAY) track.codecDelayNs = unsignedOf(content);
}

/** All elements in the order of the file; those that hold others come before them. */
function* elementsOf(bytes: Uint8Array): Generator<Element> {
  for (let place = 0; place < bytes.length;) {
    const id = variableNumber(bytes, place, false);
    if (id === null) return;
    const size = variableNumber(bytes, place + id.bytes, true);
    if (size === null) return;
    const start = place + id.bytes + size.bytes;
    const end = size.isUnknown ? bytes.length : Math.min(bytes.length, start + size.value);
    if (size.isUnknown && !ENTERED.has(id.value)) return;
    yield { id: id.value, content: bytes.subarray(start, end) };
    place = ENTERED.has(id.value) ? start : end;
  }
}

/** The leading zeros of the first byte give the length in bytes; sizes drop that marker bit, IDs keep it. */
function variableNumber(
  bytes: Uint8Array,
  offset: number,
  isSize: boolean,
): { readonly value: number; readonly bytes: number; readonly isUnknown: boolean } | null {
  const first = bytes[offset] ?? 0;
  const length = Math.clz32(first) - 23;
  if (first === 0 || length > 8 || offset + length > bytes.length) return null;
  let value = isSize ? first & (0xff >> length) : first;
  let isUnknown = value === 0xff >> length;
  for (let i = 1; i < length; i++) {
    const byte = bytes[offset + i] ?? 0;
    isUnknown &&= byte === 0xff;
    value = value * 256 + byte;
  }
  return { value, bytes: length, isUnknown };
}

function unsignedOf(content: Uint8Array): number {
  return content.subarray(0, 8).reduce((value, byte) => value * 256 + byte, 0);
}

function signedOf(content: Uint8Array): number {
  if (content.length === 0 || content.length > 8) return 0;
  const padded = new Uint8Array(8).fill((content[0] ?? 0) & 0x80 ? 0xff : 0);
  padded.set(content, 8 - content.length);
  return Number(viewOf(padded).getBigInt64(0));
}
