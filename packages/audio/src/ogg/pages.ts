import { textAt, viewOf } from "../decoder/byte-text.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";

const PAGE_HEADER_BYTES = 27;
const CONTINUED = 1;
const BEGINNING = 2;

/** Two minutes of the shortest packets of Opus, one a page, are 48 000. */
const MAX_PAGES = 200_000;

/** In a page on which no packet ends. */
const NO_GRANULE = -1n;

interface OggPage {
  /** All of it. */
  readonly bytes: Uint8Array;
  readonly isContinued: boolean;
  readonly isBeginning: boolean;
  /** Position at the end of the last packet that ends here, in the codec's units; null when none does. */
  readonly granule: number | null;
  readonly serial: number;
  /** Lengths of the pieces of packets; 255 means that the packet goes on. */
  readonly lacing: Uint8Array;
  readonly payload: Uint8Array;
}

/** One stream of a link. */
export interface OggStream {
  /** Its first packet, which names the codec. */
  readonly head: Uint8Array;
  readonly serial: number;
}

/** A part of a chained file, with its own headers; most files are one link. */
export interface OggLink {
  readonly streams: readonly OggStream[];
  readonly pages: readonly OggPage[];
}

export interface OggPacket {
  readonly data: Uint8Array;
  /** Position at its end; only known for the last packet of a page. */
  readonly granule: number | null;
}

/** The page at `offset`; null when there is none or it is cut off. */
function readPage(bytes: Uint8Array, offset: number): OggPage | null {
  const segments = bytes[offset + 26];
  if (segments === undefined) return null;
  const lacing = bytes.subarray(offset + PAGE_HEADER_BYTES, offset + PAGE_HEADER_BYTES + segments);
  if (lacing.length < segments) return null;
  const start = offset + PAGE_HEADER_BYTES + segments;
  const end = start + lacing.reduce((sum, size) => sum + size, 0);
  if (end > bytes.length) return null;
  const view = viewOf(bytes);
  const flags = view.getUint8(offset + 5);
  const granule = view.getBigInt64(offset + 6, true);
  return {
    bytes: bytes.subarray(offset, end),
    isContinued: (flags & CONTINUED) !== 0,
    isBeginning: (flags & BEGINNING) !== 0,
    granule: granule === NO_GRANULE ? null : Number(granule),
    serial: view.getUint32(offset + 14, true),
    lacing,
    payload: bytes.subarray(start, end),
  };
}

/**
 * The links of a file, in order. Anything else after the last page (some tools append tags) is ignored.
 *
 * @throws {HiggsError} REFERENCE_INVALID when the last page is cut off or there are too many
 */
export function readOggLinks(bytes: Uint8Array): readonly OggLink[] {
  const links: { streams: OggStream[]; pages: OggPage[] }[] = [];
  let wasBeginning = false;
  let count = 0;
  for (let offset = 0; textAt(bytes, offset, 4) === "OggS";) {
    const page = readPage(bytes, offset);
    if (page === null) {
      throw referenceInvalid(`its last Ogg page is cut off (the file ends after ${bytes.length} bytes)`);
    }
    if (++count > MAX_PAGES) throw referenceInvalid(`it has too many Ogg pages (limit ${MAX_PAGES})`);
    if (links.length === 0 || (page.isBeginning && !wasBeginning)) links.push({ streams: [], pages: [] });
    const link = links.at(-1);
    if (page.isBeginning) link?.streams.push({ head: page.payload, serial: page.serial });
    link?.pages.push(page);
    wasBeginning = page.isBeginning;
    offset += page.bytes.length;
  }
  return links;
}

/** The complete first packets of the streams that begin at the start of a file. */
export function oggHeads(bytes: Uint8Array): Uint8Array[] {
  const heads: Uint8Array[] = [];
  for (let offset = 0; textAt(bytes, offset, 4) === "OggS";) {
    const page = readPage(bytes, offset);
    if (page === null || !page.isBeginning) break;
    heads.push(page.payload);
    offset += page.bytes.length;
  }
  return heads;
}

/** The stream of a link whose head `accepts`, and its pages as a separate file; null when the link has none. */
export function oggStreamFile(
  { streams, pages }: OggLink,
  accepts: (head: Uint8Array) => boolean,
): { readonly head: Uint8Array; readonly file: Uint8Array } | null {
  const stream = streams.find(({ head }) => accepts(head));
  if (stream === undefined) return null;
  const own = pages.filter(({ serial }) => serial === stream.serial);
  return { head: stream.head, file: Buffer.concat(own.map(({ bytes }) => bytes)) };
}

/** The complete packets of a stream. */
export function* oggPackets(link: OggLink, serial: number): Generator<OggPacket> {
  let pieces: Uint8Array[] = [];
  for (const page of link.pages) {
    if (page.serial !== serial) continue;
    if (!page.isContinued) pieces = [];
    const lastEnd = page.lacing.findLastIndex((size) => size < 255);
    let start = 0;
    for (let i = 0, length = 0; i < page.lacing.length; i++) {
      const size = page.lacing[i] ?? 0;
      length += size;
      if (size === 255) continue;
      pieces.push(page.payload.subarray(start, start + length));
      const data = pieces.length === 1 ? page.payload.subarray(start, start + length) : Buffer.concat(pieces);
      yield { data, granule: i === lastEnd ? page.granule : null };
      pieces = [];
      start += length;
      length = 0;
    }
    if (start < page.payload.length) pieces.push(page.payload.subarray(start));
  }
}
