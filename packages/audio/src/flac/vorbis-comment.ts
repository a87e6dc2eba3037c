import type { AudioTags } from "../audio-encoder.ts";
import { joinBytes } from "../join-bytes.ts";

/** The contents of a VORBIS_COMMENT block. */
export function vorbisComment(vendor: string, { title, encoder }: AudioTags = {}): Uint8Array {
  const comments: string[] = [];
  if (title !== undefined) comments.push(`TITLE=${title}`);
  if (encoder !== undefined) comments.push(`ENCODER=${encoder}`);
  return joinBytes([sized(vendor), size(comments.length), ...comments.map(sized)]);
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
