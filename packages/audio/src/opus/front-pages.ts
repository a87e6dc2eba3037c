import { textAt, viewOf } from "../decoder/byte-text.ts";
import { joinBytes } from "../join-bytes.ts";
import { withOggChecksum } from "../ogg/page-checksum.ts";
import { vorbisComment, type VorbisComments } from "../vorbis-comment.ts";

const PAGE_HEADER_BYTES = 27;
/** A piece of a packet that goes on in the next one. */
const FULL_PIECE = 255;
/** Identification and comments, each of which ends its page (RFC 7845, section 3). */
const FRONT_PACKETS = 2;
const COMMENTS_NAME = "OpusTags";

/** The pages in front of the audio, whose comments can be changed as long as they keep their length. */
export class FrontPages {
  readonly #pages: Uint8Array[] = [];
  #packets = 0;

  /** Takes the next page; those of the audio are left out. */
  add(page: Uint8Array): void {
    if (this.#packets === FRONT_PACKETS) return;
    this.#pages.push(page);
    this.#packets += lacingOf(page).filter((size) => size < FULL_PIECE).length;
  }

  /**
   * All of them with these comments.
   *
   * @throws {Error} when the comments have another length than those that are there
   */
  withComments(comments: VorbisComments): Uint8Array {
    const [head = new Uint8Array(0), ...pages] = this.#pages;
    const old = joinBytes(pages.map(payloadOf));
    const vendorBytes = viewOf(old).getUint32(COMMENTS_NAME.length, true);
    const vendor = textAt(old, COMMENTS_NAME.length + 4, vendorBytes);
    const packet = joinBytes([Buffer.from(COMMENTS_NAME), vorbisComment(vendor, comments)]);
    if (packet.length !== old.length) throw new Error("the comments have another length than before");
    let place = 0;
    const changed = pages.map((page) => {
      const copy = page.slice();
      const payload = payloadOf(copy);
      payload.set(packet.subarray(place, place + payload.length));
      place += payload.length;
      return withOggChecksum(copy);
    });
    return joinBytes([head, ...changed]);
  }
}

function lacingOf(page: Uint8Array): number[] {
  return [...page.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + (page[PAGE_HEADER_BYTES - 1] ?? 0))];
}

function payloadOf(page: Uint8Array): Uint8Array {
  return page.subarray(PAGE_HEADER_BYTES + (page[PAGE_HEADER_BYTES - 1] ?? 0));
}
