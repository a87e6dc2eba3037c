/** Small files that are meant to do harm, put together byte by byte. */

export interface WavHeader {
  readonly tag?: number;
  readonly channels?: number;
  readonly sampleRateHz?: number;
  readonly bits?: number;
  /** The declared size; correct by default. */
  readonly dataSize?: number;
}

/** A WAV file whose header says what the caller wants. */
export function wavOf(data: Uint8Array, header: WavHeader = {}): Buffer {
  const { tag = 1, channels = 1, sampleRateHz = 24_000, bits = 16, dataSize = data.length } = header;
  const frameBytes = (channels * bits) / 8;
  const file = Buffer.alloc(44);
  file.write("RIFF", 0, "latin1");
  file.writeUInt32LE((36 + dataSize) % 2 ** 32, 4);
  file.write("WAVEfmt ", 8, "latin1");
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(tag, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(sampleRateHz, 24);
  file.writeUInt32LE((sampleRateHz * frameBytes) % 2 ** 32, 28);
  file.writeUInt16LE(frameBytes, 32);
  file.writeUInt16LE(bits, 34);
  file.write("data", 36, "latin1");
  file.writeUInt32LE(dataSize, 40);
  return Buffer.concat([file, data]);
}

/** `seconds` of a hum in 16 bits. */
export function humBytes(seconds: number, sampleRateHz = 24_000): Buffer {
  const samples = Int16Array.from({ length: seconds * sampleRateHz }, (_, index) =>
    Math.round(8_000 * Math.sin((2 * Math.PI * 150 * index) / sampleRateHz)),
  );
  return Buffer.from(samples.buffer);
}

/** 32-bit floats that are NaN. */
export function nanBytes(count: number): Buffer {
  return Buffer.from(new Float32Array(count).fill(Number.NaN).buffer);
}

/** A FLAC header that promises 2^36 − 1 samples in 8 channels, and a few bytes. */
export function flacBomb(): Buffer {
  const info = Buffer.alloc(34);
  info.writeUInt16BE(65_535, 0);
  info.writeUInt16BE(65_535, 2);
  const packed = (48_000n << 44n) | (7n << 41n) | (15n << 36n) | (2n ** 36n - 1n);
  info.writeBigUInt64BE(packed, 10);
  return Buffer.concat([Buffer.from("fLaC\u0080\u0000\u0000\u0022", "latin1"), info, Buffer.alloc(64)]);
}

/** MP3 of silence: 24 bytes for each 24 ms. */
export function silentMp3(seconds: number): Buffer {
  const frame = Buffer.alloc(24);
  // MPEG 2 layer III, 8 kbit/s, 24 kHz, mono.
  frame.set([0xff, 0xf3, 0x14, 0xc0]);
  return Buffer.alloc(Math.ceil((seconds * 24_000) / 576) * frame.length, frame);
}
