import { HiggsError } from "@higgs-worker/base";
import type { createMp3Encoder } from "wasm-media-encoders";
import type { AudioEncoder, AudioEncoderStream, EncoderStreamOptions } from "../audio-encoder.ts";
import { fileChapters } from "../chapters.ts";
import { encodeWith } from "../encode-whole.ts";
import { joinBytes } from "../join-bytes.ts";
import { sampleRateProblem, type SAMPLE_RATES_HZ } from "../sample-rates.ts";
import { id3Tag, MAX_TAG_BYTES } from "./id3-tag.ts";
import { Mp3FrameCounter, mp3InfoFrame } from "./info-frame.ts";

type Lame = Awaited<ReturnType<typeof createMp3Encoder>>;

type Kilobits = 32 | 48 | 64 | 96;

type Mp3Rate = (typeof SAMPLE_RATES_HZ)[number];

/** Constant bit rates, by the sample rate: what mono speech needs; 24 kHz gives frames of 192 bytes each 24 ms. */
const KILOBITS: ReadonlyMap<number, Kilobits> = new Map<Mp3Rate, Kilobits>([
  [8_000, 32],
  [16_000, 48],
  [22_050, 64],
  [24_000, 64],
  [44_100, 96],
  [48_000, 96],
]);

/** LAME makes everything quieter by this at these bit rates; undone, so that all formats are equally loud. */
const LAME_GAIN = 0.95;

/** Frames that the encoder adds at the end, the first one for its delay, and ours. */
const EXTRA_FRAMES = 6;

/**
 * Encoders that are not in use. A new one costs some milliseconds and megabytes; a configured old one forgets everything.
 */
const idle: Lame[] = [];
const MAX_IDLE = 4;

/**
 * MP3 by LAME, mono, at a constant bit rate: of a stream with a variable one, readers would guess the length wrong, and
 * some stop early. A file has a frame in front that tells decoders the exact length.
 */
export const mp3Encoder: AudioEncoder = {
  format: "mp3",
  mimeType: "audio/mpeg",
  fileExtension: "mp3",
  sampleRatesHz: [...KILOBITS.keys()],
  minEncodedBytes: (sampleCount, sampleRateHz) => Math.floor(audioBytes(sampleCount, sampleRateHz)),
  maxEncodedBytes: (sampleCount, sampleRateHz) =>
    MAX_TAG_BYTES + Math.ceil(audioBytes(sampleCount + EXTRA_FRAMES * samplesPerFrame(sampleRateHz), sampleRateHz)),
  warmUp: async () => giveBack(await takeLame()),
  openStream,
  encode: encodeWith(openStream),
};

async function openStream(options: EncoderStreamOptions): Promise<AudioEncoderStream> {
  const { sampleRateHz, purpose, tags, chapterTitles } = options;
  const bitrate = KILOBITS.get(sampleRateHz);
  if (bitrate === undefined) throw sampleRateProblem(mp3Encoder, sampleRateHz);
  let lame: Lame | null = await takeLame();
  lame.configure({ channels: 1, sampleRate: sampleRateHz, outputSampleRate: sampleRateHz as Mp3Rate, bitrate });
  const frames = new Mp3FrameCounter();
  let sampleCount = 0;
  let hasFront = false;

  /** The new bytes, with the file's front if they are the first. */
  const take = (encoded: Uint8Array): Uint8Array => {
    // The library's buffer is used again by the next call.
    const bytes = encoded.slice();
    frames.add(bytes);
    const { firstHeader } = frames;
    if (hasFront || firstHeader === null) return bytes;
    hasFront = true;
    return joinBytes([...front(firstHeader, 0, []), bytes]);
  };
  const front = (firstHeader: Uint8Array, samples: number, chapterSeconds: readonly number[]): Uint8Array[] => {
    if (purpose === "live") return [id3Tag(tags)];
    const tag = id3Tag(tags, fileChapters(chapterTitles, chapterSeconds, samples / sampleRateHz));
    const delayed = { frames, samples, samplesPerFrame: samplesPerFrame(sampleRateHz), bitrate };
    return [tag, mp3InfoFrame(firstHeader, delayed)];
  };
  const release = () => {
    if (lame !== null) giveBack(lame);
    lame = null;
  };

  return {
    write: async (pcm) => {
      if (lame === null || pcm.length === 0) return new Uint8Array(0);
      sampleCount += pcm.length;
      return take(lame.encode([pcm.map(toLame)]));
    },
    end: async (chapterSeconds = []) => {
      try {
        if (lame === null || sampleCount === 0) {
          throw new HiggsError("GENERATION_FAILED", "encode MP3", "it has no samples");
        }
        const tail = take(lame.finalize());
        const { firstHeader } = frames;
        if (firstHeader === null) throw new HiggsError("INTERNAL", "encode MP3", "the encoder wrote no frame");
        const head = purpose === "file" ? joinBytes(front(firstHeader, sampleCount, chapterSeconds)) : null;
        return { tail, head, sampleCount };
      } finally {
        release();
      }
    },
    close: release,
  };
}

function toLame(sample: number): number {
  return Math.min(1, Math.max(-1, sample)) / LAME_GAIN;
}

/** MPEG-1 has two granules in a frame, MPEG-2 and 2.5 one. */
function samplesPerFrame(sampleRateHz: number): number {
  return sampleRateHz >= 32_000 ? 1152 : 576;
}

function audioBytes(sampleCount: number, sampleRateHz: number): number {
  return ((KILOBITS.get(sampleRateHz) ?? 0) * 125 * sampleCount) / sampleRateHz;
}

/** Takes about 10 ms the first time. */
async function takeLame(): Promise<Lame> {
  const used = idle.pop();
  if (used !== undefined) return used;
  const library = await import("wasm-media-encoders");
  return await library.createMp3Encoder();
}

function giveBack(lame: Lame): void {
  if (idle.length < MAX_IDLE) idle.push(lame);
}
