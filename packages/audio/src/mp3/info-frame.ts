import { joinBytes } from "../join-bytes.ts";
import { readMp3FrameHeader } from "./frame-header.ts";

const HEADER_BYTES = 4;
const MPEG_1 = 3;
/** Side information of a mono frame, which stands between its header and the text `Info`. */
const SIDE_BYTES_MPEG_1 = 17;
const SIDE_BYTES_MPEG_2 = 9;

/** Number of frames, of bytes, the table for seeking and the quality follow. */
const ALL_FIELDS = 0x0f;
const TABLE_ENTRIES = 100;

/** The name of the library inside. ffmpeg believes the delay only of names that it knows. */
const VENDOR = "LAME3.100";
const CONSTANT_BIT_RATE = 1;
/** Of LAME, in samples. Decoders know their own 529 and add them. */
const ENCODER_DELAY = 576;
const MAX_PADDING = 0xfff;

/** Follows the frames of a stream that comes in slices. */
export class Mp3FrameCounter {
  /** Of the first frame; null before it. */
  firstHeader: Uint8Array | null = null;
  /** Frames that have begun. */
  count = 0;
  bytes = 0;
  /** Checksum of the bytes. */
  checksum = 0;
  /** Bytes until the next header. */
  #ahead = 0;
  #rest = new Uint8Array(0);

  /** Takes the next bytes. The library writes whole frames, so that what is left over is at most a part of a header. */
  add(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.checksum = crc16(bytes, this.checksum);
    const known = joinBytes([this.#rest, bytes]);
    let place = this.#ahead;
    for (; place + HEADER_BYTES <= known.length; this.count += 1) {
      const header = readMp3FrameHeader(known, place);
      if (header === null) throw new Error("the encoder did not write a frame where one belongs");
      this.firstHeader ??= known.slice(place, place + HEADER_BYTES);
      place += header.frameBytes;
    }
    this.#ahead = Math.max(0, place - known.length);
    this.#rest = known.slice(Math.min(place, known.length));
  }
}

export interface InfoFrameFacts {
  readonly frames: Pick<Mp3FrameCounter, "count" | "bytes" | "checksum">;
  /** Samples that count. */
  readonly samples: number;
  readonly samplesPerFrame: number;
  /** In kbit/s. */
  readonly bitrate: number;
}

/**
 * A silent frame with the length of the audio behind it (“Info”) and its delay and padding (“LAME”). Without it every decoder
 * returns 1105 samples too many at the start and up to 1700 at the end. `firstHeader` is the header of the first real frame.
 */
export function mp3InfoFrame(firstHeader: Uint8Array, facts: InfoFrameFacts): Uint8Array {
  const { frames, samples, samplesPerFrame, bitrate } = facts;
  const header = firstHeader.slice();
  // No checksum behind the header, no extra byte at the end.
  header[1] = (header[1] ?? 0) | 1;
  header[2] = (header[2] ?? 0) & ~2;
  const frameBytes = readMp3FrameHeader(header, 0)?.frameBytes ?? 0;
  const isFirst = (((header[1] ?? 0) >> 3) & 3) === MPEG_1;
  const frame = new Uint8Array(frameBytes);
  frame.set(header);
  let place = HEADER_BYTES + (isFirst ? SIDE_BYTES_MPEG_1 : SIDE_BYTES_MPEG_2);
  const view = new DataView(frame.buffer);
  const put = (bytes: number, value: number) => {
    for (let i = 0; i < bytes; i++) view.setUint8(place + i, Math.floor(value / 256 ** (bytes - 1 - i)) & 0xff);
    place += bytes;
  };
  const putText = (text: string) => {
    frame.set(Buffer.from(text, "latin1"), place);
    place += text.length;
  };
  const musicBytes = frameBytes + frames.bytes;
  putText("Info");
  put(4, ALL_FIELDS);
  put(4, frames.count);
  put(4, musicBytes);
  for (let i = 0; i < TABLE_ENTRIES; i++) put(1, Math.floor((i * 256) / TABLE_ENTRIES));
  put(4, 0);
  putText(VENDOR);
  put(1, CONSTANT_BIT_RATE);
  // Low-pass, peak, gains and flags: not known.
  place += 10;
  put(1, bitrate);
  const padding = Math.max(0, frames.count * samplesPerFrame - ENCODER_DELAY - samples);
  put(3, ENCODER_DELAY * 2 ** 12 + Math.min(MAX_PADDING, padding));
  // Source, gain and preset: not known.
  place += 4;
  put(4, musicBytes);
  put(2, frames.checksum);
  put(2, crc16(frame.subarray(0, place), 0));
  return frame;
}

const CRC_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >> 1) ^ 0xa001 : value >> 1;
  return value;
});

/** CRC-16 as LAME has it: polynomial 0x8005, lowest bit first. */
function crc16(bytes: Uint8Array, start: number): number {
  let value = start;
  for (const byte of bytes) value = (value >> 8) ^ (CRC_TABLE[(value ^ byte) & 0xff] ?? 0);
  return value;
}
