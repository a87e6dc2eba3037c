/** The four header bytes of an MPEG audio frame, parsed. */
export interface Mp3FrameHeader {
  readonly sampleRateHz: number;
  readonly channels: 1 | 2;
  /** From this header to the next one. */
  readonly frameBytes: number;
}

const SAMPLE_RATES_HZ = [44_100, 48_000, 32_000];

/** In kbit/s, by the index in the header. */
const BIT_RATES_LAYER_2 = [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
const BIT_RATES_LAYER_3 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
/** Of both layers. */
const BIT_RATES_MPEG_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** Layer I is 3, which only digital cassettes had. */
const LAYER_2 = 2;
const LAYER_3 = 1;
const MONO = 3;

/** The header at `offset`; null unless it is layer II or III with a known bit rate. */
export function readMp3FrameHeader(bytes: Uint8Array, offset: number): Mp3FrameHeader | null {
  const [sync = 0, kind = 0, rates = 0, mode = 0] = bytes.subarray(offset, offset + 4);
  const layer = (kind >> 1) & 3;
  if (sync !== 0xff || (kind & 0xe0) !== 0xe0 || (layer !== LAYER_2 && layer !== LAYER_3)) return null;
  const version = (kind >> 3) & 3;
  const isFirst = version === 3;
  const bitRates = !isFirst ? BIT_RATES_MPEG_2 : layer === LAYER_2 ? BIT_RATES_LAYER_2 : BIT_RATES_LAYER_3;
  const sampleRateHz = SAMPLE_RATES_HZ[(rates >> 2) & 3];
  const kilobits = bitRates[rates >> 4];
  // 0 is MPEG 2.5, 2 is MPEG 2, 3 is MPEG 1; 1 is reserved.
  if (version === 1 || sampleRateHz === undefined || kilobits === undefined || kilobits === 0) return null;
  const halvings = isFirst ? 1 : version === 2 ? 2 : 4;
  // A frame of layer III has half as many samples in MPEG 2.
  const bytesPerKilobit = isFirst || layer === LAYER_2 ? 144_000 : 72_000;
  const rate = sampleRateHz / halvings;
  return {
    sampleRateHz: rate,
    channels: mode >> 6 === MONO ? 1 : 2,
    frameBytes: Math.floor((bytesPerKilobit * kilobits) / rate) + ((rates >> 1) & 1),
  };
}

/**
 * The first header before `searchBytes` that is followed by a matching header at the declared offset; null when there is
 * none. Two in a row are not an accident, a single one may be: any 11 set bits look like one.
 */
export function findMp3Frame(bytes: Uint8Array, searchBytes: number): Mp3FrameHeader | null {
  const end = Math.min(bytes.length - 4, searchBytes);
  for (let offset = 0; offset <= end; offset++) {
    const header = bytes[offset] === 0xff ? readMp3FrameHeader(bytes, offset) : null;
    if (header === null) continue;
    const next = readMp3FrameHeader(bytes, offset + header.frameBytes);
    if (next?.sampleRateHz === header.sampleRateHz) return header;
  }
  return null;
}

/** Bytes of the ID3v2 tag at the start; 0 when there is none. */
export function id3Bytes(bytes: Uint8Array): number {
  const [i, d, three, , , flags = 0, a = 0, b = 0, c = 0, e = 0] = bytes.subarray(0, 10);
  if (i !== 0x49 || d !== 0x44 || three !== 0x33) return 0;
  // Four times seven bits, not counting the 10-byte header and the optional 10-byte footer.
  return 10 + ((a << 21) | (b << 14) | (c << 7) | e) + ((flags & 0x10) === 0 ? 0 : 10);
}
