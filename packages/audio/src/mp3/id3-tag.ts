import type { AudioTags } from "../audio-encoder.ts";
import { joinBytes } from "../join-bytes.ts";

const HEADER_BYTES = 10;
const UTF8 = 3;

/** Of a whole tag: titles and encoder names are short. */
export const MAX_TAG_BYTES = 1024;

/** An ID3v2.4 tag; empty without tags. */
export function id3Tag({ title, encoder }: AudioTags = {}): Uint8Array {
  const frames: Uint8Array[] = [];
  if (title !== undefined) frames.push(textFrame("TIT2", title));
  if (encoder !== undefined) frames.push(textFrame("TSSE", encoder));
  if (frames.length === 0) return new Uint8Array(0);
  const body = joinBytes(frames);
  return joinBytes([Buffer.from("ID3\u0004\u0000\u0000", "latin1"), syncsafe(body.length), body]);
}

function textFrame(id: string, text: string): Uint8Array {
  const bytes = Buffer.from(text, "utf8");
  const content = joinBytes([Uint8Array.of(UTF8), bytes]);
  const header = new Uint8Array(HEADER_BYTES);
  header.set(Buffer.from(id, "latin1"));
  header.set(syncsafe(content.length), 4);
  return joinBytes([header, content]);
}

/** Four times seven bits, so that a size never looks like a frame of audio. */
function syncsafe(size: number): Uint8Array {
  return Uint8Array.of((size >> 21) & 0x7f, (size >> 14) & 0x7f, (size >> 7) & 0x7f, size & 0x7f);
}
