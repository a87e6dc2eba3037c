import { HiggsError } from "@higgs-worker/base";
import type * as Flac from "libflacjs/dist/libflac.js";
import type { StreamMetadata } from "libflacjs";
import type { AudioEncoder, AudioEncoderStream, EncoderStreamOptions } from "../audio-encoder.ts";
import { fileChapters } from "../chapters.ts";
import { textAt, viewOf } from "../decoder/byte-text.ts";
import { encodeWith } from "../encode-whole.ts";
import { joinBytes } from "../join-bytes.ts";
import { floatToPcm16 } from "../pcm16.ts";
import { SAMPLE_RATES_HZ } from "../sample-rates.ts";
import { fileComments, vorbisComment, type VorbisComments } from "../vorbis-comment.ts";

type Library = typeof Flac.default;

const BITS = 16;
/** The reference encoder's default, where more costs time and gains nothing audible in size. */
const COMPRESSION_LEVEL = 5;
/** Samples of a frame, which is the least that can be sent. */
const BLOCK_SAMPLES = 4096;

/** `fLaC`, then blocks with a header of four bytes each. */
const MAGIC_BYTES = 4;
const BLOCK_HEADER_BYTES = 4;
const STREAM_INFO_BYTES = 34;
const STREAM_INFO_START = MAGIC_BYTES + BLOCK_HEADER_BYTES;
const STREAM_INFO_END = STREAM_INFO_START + STREAM_INFO_BYTES;
const LAST_BLOCK = 0x80;
const VORBIS_COMMENT = 4;

/** Header, checksums and the kind of prediction of a frame that could not be compressed. */
const MAX_FRAME_OVERHEAD_BYTES = 24;
const MIN_FRAME_BYTES = 8;
const MAX_COMMENT_BYTES = 1024;

/** FLAC by libFLAC, 16 bits, mono: exactly the samples of the WAV file. */
export const flacEncoder: AudioEncoder = {
  format: "flac",
  mimeType: "audio/flac",
  fileExtension: "flac",
  sampleRatesHz: SAMPLE_RATES_HZ,
  // Silence, of which a frame holds one sample.
  minEncodedBytes: (sampleCount) => STREAM_INFO_END + Math.ceil(sampleCount / BLOCK_SAMPLES) * MIN_FRAME_BYTES,
  maxEncodedBytes: (sampleCount) =>
    STREAM_INFO_END +
    MAX_COMMENT_BYTES +
    (sampleCount * BITS) / 8 +
    Math.ceil(sampleCount / BLOCK_SAMPLES) * MAX_FRAME_OVERHEAD_BYTES,
  warmUp: async () => void (await loadLibrary()),
  openStream,
  encode: encodeWith(openStream),
};

async function openStream(options: EncoderStreamOptions): Promise<AudioEncoderStream> {
  const { sampleRateHz, purpose, tags, chapterTitles } = options;
  const library = await loadLibrary();
  let encoder: number | null = library.create_libflac_encoder(
    sampleRateHz,
    1,
    BITS,
    COMPRESSION_LEVEL,
    0,
    false,
    BLOCK_SAMPLES,
  );
  if (encoder === 0) throw new HiggsError("INTERNAL", "encode FLAC", "the library has no memory for one more file");
  let pending: Uint8Array[] = [];
  const header: Uint8Array[] = [];
  let finished: StreamMetadata | undefined;
  let sampleCount = 0;
  let front: Uint8Array | null = null;
  const status = library.init_encoder_stream(
    encoder,
    (data, _bytes, samples) => void (samples === 0 ? header : pending).push(data.slice()),
    (metadata) => (finished = metadata),
  );
  const release = () => {
    if (encoder !== null) library.FLAC__stream_encoder_delete(encoder);
    encoder = null;
  };
  if (status !== 0) {
    release();
    throw new HiggsError("INTERNAL", "encode FLAC", `the library refused to begin (status ${status})`);
  }

  /** What the library has written since, with the front before the first frame. */
  const take = (): Uint8Array => {
    const frames = pending;
    pending = [];
    if (front !== null || frames.length === 0) return joinBytes(frames);
    front = frontWith([]);
    return joinBytes([front, ...frames]);
  };
  const frontWith = (chapterSeconds: readonly number[]): Uint8Array => {
    const titles = purpose === "file" ? chapterTitles : [];
    const chapters = fileChapters(titles, chapterSeconds, sampleCount / sampleRateHz);
    return withComments(joinBytes(header), fileComments(tags, chapters));
  };

  return {
    write: async (pcm) => {
      if (encoder === null || pcm.length === 0) return new Uint8Array(0);
      sampleCount += pcm.length;
      const samples = Int32Array.from(floatToPcm16(pcm));
      if (!library.FLAC__stream_encoder_process_interleaved(encoder, samples, samples.length)) throw failed();
      return take();
    },
    end: async (chapterSeconds = []) => {
      try {
        if (encoder === null || sampleCount === 0) {
          throw new HiggsError("GENERATION_FAILED", "encode FLAC", "it has no samples");
        }
        if (!library.FLAC__stream_encoder_finish(encoder)) throw failed();
        const tail = take();
        if (front === null || finished === undefined) throw failed();
        const head = purpose === "file" ? withFacts(frontWith(chapterSeconds), finished) : null;
        return { tail, head, sampleCount };
      } finally {
        release();
      }
    },
    close: release,
  };
}

/** The library's header with comments in the place of its empty one, which it cannot be given otherwise. */
function withComments(header: Uint8Array, comments: VorbisComments): Uint8Array {
  const comment = STREAM_INFO_END + BLOCK_HEADER_BYTES;
  const vendorBytes = header.length < comment + 4 ? 0 : viewOf(header).getUint32(comment, true);
  const content = vorbisComment(textAt(header, comment + 4, vendorBytes), comments);
  const block = Uint8Array.of(LAST_BLOCK | VORBIS_COMMENT, content.length >> 16, content.length >> 8, content.length);
  return joinBytes([header.subarray(0, STREAM_INFO_END), block, content]);
}

/** The front with what is known at the end: sizes of frames, number of samples, checksum of the samples. */
function withFacts(front: Uint8Array, facts: StreamMetadata): Uint8Array {
  const head = front.slice();
  const view = viewOf(head);
  view.setUint16(STREAM_INFO_START + 4, facts.min_framesize >> 8);
  view.setUint8(STREAM_INFO_START + 6, facts.min_framesize & 0xff);
  view.setUint16(STREAM_INFO_START + 7, facts.max_framesize >> 8);
  view.setUint8(STREAM_INFO_START + 9, facts.max_framesize & 0xff);
  // The upper 4 of 36 bits share a byte with the sample size.
  const upper = Math.floor(facts.total_samples / 2 ** 32) & 0x0f;
  view.setUint8(STREAM_INFO_START + 13, (view.getUint8(STREAM_INFO_START + 13) & 0xf0) | upper);
  view.setUint32(STREAM_INFO_START + 14, facts.total_samples >>> 0);
  head.set(Buffer.from(facts.md5sum, "hex"), STREAM_INFO_START + 18);
  return head;
}

function failed(): HiggsError {
  return new HiggsError("INTERNAL", "encode FLAC", "the library failed");
}

let loading: Promise<Library> | undefined;

/** Takes about 50 ms. The file itself, since the package's entry point sets an environment variable. */
function loadLibrary(): Promise<Library> {
  loading ??= import("libflacjs/dist/libflac.js").then(async (library) => {
    const flac = library.default;
    if (!flac.isReady()) await new Promise<void>((resolve) => flac.on("ready", () => resolve()));
    return flac;
  });
  return loading;
}
