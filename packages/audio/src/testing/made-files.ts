import { joinBytes } from "../join-bytes.ts";

/** Files built byte by byte, for what no encoder would write. */

export interface MadeWav {
  readonly tag?: number;
  readonly channels?: number;
  readonly sampleRateHz?: number;
  readonly bits?: number;
  /** Bytes of a frame as the header says; by default what channels and bits make. */
  readonly frameBytes?: number;
  /** The declared sizes; correct by default. */
  readonly dataSize?: number;
  readonly formatSize?: number;
  /** Chunks before the format: name and content. */
  readonly before?: readonly (readonly [string, Uint8Array])[];
  /** After the 16 bytes of format. */
  readonly extension?: Uint8Array;
  readonly magic?: string;
}

export function makeWav(data: Uint8Array, made: MadeWav = {}): Uint8Array {
  const { channels = 1, sampleRateHz = 16_000, bits = 16 } = made;
  const frameBytes = made.frameBytes ?? (channels * bits) / 8;
  const format = concat(
    little(2, made.tag ?? 1),
    little(2, channels),
    little(4, sampleRateHz),
    little(4, (sampleRateHz * frameBytes) % 2 ** 32),
    little(2, frameBytes),
    little(2, bits),
    made.extension ?? new Uint8Array(0),
  );
  const chunks = concat(
    ...(made.before ?? []).map(([id, content]) => chunk(id, content)),
    chunk("fmt ", format, made.formatSize),
    chunk("data", data, made.dataSize),
  );
  return concat(ascii(made.magic ?? "RIFF"), little(4, chunks.length + 4), ascii("WAVE"), chunks);
}

/** Content padded to an even length, as RIFF wants it. */
export function chunk(id: string, content: Uint8Array, size = content.length): Uint8Array {
  return concat(ascii(id), little(4, size), content, new Uint8Array(content.length % 2));
}

export function floatBytes(values: readonly number[], bits: 32 | 64 = 32): Uint8Array {
  const bytes = new Uint8Array((values.length * bits) / 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) =>
    bits === 32 ? view.setFloat32(i * 4, value, true) : view.setFloat64(i * 8, value, true),
  );
  return bytes;
}

/**
 * FLAC of `frames` blocks of 65 535 samples of silence in 8 channels: 35 bytes each, for 2 MB of samples and 1.4 s at
 * 48 kHz. `totalSamples` is what the header says.
 */
export function makeFlacBomb(frames: number, totalSamples = 0, sampleRateHz = 48_000): Uint8Array {
  const packed = (BigInt(sampleRateHz) << 44n) | (7n << 41n) | (15n << 36n) | BigInt(totalSamples);
  const info = new Uint8Array(34);
  const view = new DataView(info.buffer);
  view.setUint16(0, 65_535);
  view.setUint16(2, 65_535);
  view.setBigUint64(10, packed);
  const blocks = Array.from({ length: frames }, (_, index) => flacFrame(index));
  return concat(ascii("fLaC"), Uint8Array.of(0x80, 0, 0, 34), info, ...blocks);
}

function flacFrame(index: number): Uint8Array {
  // Fixed block size, given in 16 bits below; 48 kHz; 8 channels; 16 bits.
  const number = index < 0x80 ? [index] : [0xc0 | (index >> 6), 0x80 | (index & 0x3f)];
  const header = Uint8Array.of(0xff, 0xf8, 0x7a, 0x78, ...number, 0xff, 0xfe);
  // Eight constant subframes of the value 0: one byte of type and two of value.
  const body = concat(header, Uint8Array.of(crc(header, 8, 0x07)), new Uint8Array(8 * 3));
  const check = crc(body, 16, 0x8005);
  return concat(body, Uint8Array.of(check >> 8, check & 0xff));
}

function crc(bytes: Uint8Array, width: 8 | 16, polynomial: number): number {
  const top = 1 << (width - 1);
  let value = 0;
  for (const byte of bytes) {
    value ^= byte << (width - 8);
    for (let bit = 0; bit < 8; bit++) value = (value & top) === 0 ? value << 1 : (value << 1) ^ polynomial;
    value &= 2 ** width - 1;
  }
  return value;
}

/** MPEG 2.5 layer III, mono, 8 kHz, 8 kbit/s, silence: 72 bytes and 72 ms a frame. */
export function makeSilentMp3(seconds: number): Uint8Array {
  const frames = Math.round(seconds / 0.072);
  const bytes = new Uint8Array(frames * 72);
  for (let i = 0; i < frames; i++) bytes.set([0xff, 0xe3, 0x18, 0xc4], i * 72);
  return bytes;
}

/** One Ogg page that holds one packet; the checksum is right. */
export function makeOggPage(packet: Uint8Array, flags = 2, serial = 7): Uint8Array {
  const segments = [...Array.from({ length: Math.floor(packet.length / 255) }, () => 255), packet.length % 255];
  const page = concat(
    ascii("OggS"),
    Uint8Array.of(0, flags),
    new Uint8Array(8),
    little(4, serial),
    new Uint8Array(8),
    Uint8Array.of(segments.length, ...segments),
    packet,
  );
  let value = 0;
  for (const byte of page) {
    value ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  }
  new DataView(page.buffer).setUint32(22, value >>> 0, true);
  return page;
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.codePointAt(0) ?? 0);
}

export function little(bytes: number, value: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return joinBytes(parts);
}
