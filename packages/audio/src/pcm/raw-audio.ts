import { viewOf } from "../decoder/byte-text.ts";
import type { PcmSink } from "../decoder/pcm-sink.ts";
import { decodeImaQuickTimeBlock, decodeImaWavBlock, imaBlockFrames, QUICKTIME_IMA } from "./ima-adpcm.ts";
import { decodeMicrosoftBlock, microsoftBlockFrames, type AdpcmCoefficients } from "./microsoft-adpcm.ts";
import { bytesOfSample, sampleReader, type SampleFormat } from "./sample-format.ts";

/** How the bytes of a file become samples where no codec library is needed. */
export type RawEncoding =
  | SampleFormat
  /** Blocks of `blockBytes` for all channels together. */
  | { readonly kind: "ima-adpcm"; readonly blockBytes: number }
  | {
      readonly kind: "microsoft-adpcm";
      readonly blockBytes: number;
      readonly coefficients: readonly AdpcmCoefficients[];
    }
  /** Blocks of 34 bytes for each channel, as QuickTime, AIFF-C and CAF have them. */
  | { readonly kind: "ima-adpcm-quicktime" };

export interface RawAudio {
  readonly encoding: RawEncoding;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly data: Uint8Array;
  /** Frames that count, when the file says so and its blocks hold more; null: all of them. */
  readonly frames: number | null;
}

/** Frames converted at a time, to bound the extra memory. */
const BLOCK_FRAMES = 16_384;

/** Decodes `audio` into `pcm`. An incomplete last frame or block gives the samples it has. */
export function pushRawAudio(audio: RawAudio, pcm: PcmSink): void {
  const { encoding } = audio;
  if (encoding.kind === "ima-adpcm" || encoding.kind === "microsoft-adpcm" || encoding.kind === "ima-adpcm-quicktime") {
    pushBlocks(audio, blockCodec(encoding, audio.channels), pcm);
  } else {
    pushSamples(audio, encoding, pcm);
  }
}

function pushSamples({ channels, sampleRateHz, data, frames }: RawAudio, format: SampleFormat, pcm: PcmSink): void {
  const frameBytes = bytesOfSample(format) * channels;
  const available = frameBytes === 0 ? 0 : Math.floor(data.length / frameBytes);
  const total = Math.min(available, frames ?? Infinity);
  pcm.begin(sampleRateHz, channels, total);
  const view = viewOf(data);
  const read = sampleReader(format);
  for (let first = 0; first < total; first += BLOCK_FRAMES) {
    const length = Math.min(BLOCK_FRAMES, total - first);
    const block = Array.from({ length: channels }, (_, channel) => {
      const samples = new Float32Array(length);
      let offset = first * frameBytes + channel * bytesOfSample(format);
      for (let i = 0; i < length; i++, offset += frameBytes) samples[i] = read(view, offset);
      return samples;
    });
    pcm.push(block);
  }
}

/** Codecs whose blocks stand alone. */
interface BlockCodec {
  readonly blockBytes: number;
  /** Whole frames in a block of this many bytes; the last block may be shorter. */
  readonly framesOf: (bytes: number) => number;
  /** Writes 16-bit values to one array for each channel. */
  readonly decode: (block: Uint8Array, output: readonly Int16Array[]) => void;
}

function blockCodec(encoding: Exclude<RawEncoding, SampleFormat>, channels: number): BlockCodec {
  if (encoding.kind === "ima-adpcm-quicktime") {
    return {
      blockBytes: QUICKTIME_IMA.blockBytes * channels,
      framesOf: (bytes) => (bytes < QUICKTIME_IMA.blockBytes * channels ? 0 : QUICKTIME_IMA.blockFrames),
      decode: decodeImaQuickTimeBlock,
    };
  }
  const { blockBytes } = encoding;
  if (encoding.kind === "ima-adpcm") {
    return { blockBytes, framesOf: (bytes) => imaBlockFrames(bytes, channels), decode: decodeImaWavBlock };
  }
  const { coefficients } = encoding;
  return {
    blockBytes,
    framesOf: (bytes) => microsoftBlockFrames(bytes, channels),
    decode: (block, output) => decodeMicrosoftBlock(block, output, coefficients),
  };
}

function pushBlocks({ channels, sampleRateHz, data, frames }: RawAudio, codec: BlockCodec, pcm: PcmSink): void {
  const blocks = Math.floor(data.length / codec.blockBytes);
  const last = codec.framesOf(data.length % codec.blockBytes);
  const available = blocks * codec.framesOf(codec.blockBytes) + last;
  const total = Math.min(available, frames ?? Infinity);
  pcm.begin(sampleRateHz, channels, total);
  for (let start = 0, done = 0; done < total; start += codec.blockBytes) {
    const block = data.subarray(start, start + codec.blockBytes);
    const length = codec.framesOf(block.length);
    const output = Array.from({ length: channels }, () => new Int16Array(length));
    codec.decode(block, output);
    const wanted = Math.min(length, total - done);
    pcm.push(output.map((values) => Float32Array.from(values.subarray(0, wanted), (value) => value / 2 ** 15)));
    done += length;
  }
}
