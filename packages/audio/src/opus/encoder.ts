import { HiggsError } from "@higgs-worker/base";
import type { AudioEncoder, AudioEncoderStream, EncoderStreamOptions, StreamEncoder } from "../audio-encoder.ts";
import { fileChapters } from "../chapters.ts";
import { encodeWith } from "../encode-whole.ts";
import { joinBytes } from "../join-bytes.ts";
import { sampleRateProblem } from "../sample-rates.ts";
import { loadContainers, openPacketFile } from "./packet-file.ts";
import { loadLibopus, MAX_PACKET_BYTES, OPUS_RATES_HZ, OpusPacketsEncoder } from "./packets-encoder.ts";

type OpusFormat = "opus" | "webm";

const warmUp = async () => void (await Promise.all([loadLibopus(), loadContainers()]));

const FRAME_SECONDS = 0.02;
/** Of the packets with their lengths, and of the pages around five of them. */
const FRAME_OVERHEAD_BYTES = 8;
const HEADER_BYTES = 2048;

/** Opus by libopus in Ogg, mono. A decoder gets exactly the samples that went in, at 48 kHz. */
export const opusEncoder: AudioEncoder = {
  format: "opus",
  mimeType: "audio/ogg",
  fileExtension: "opus",
  sampleRatesHz: OPUS_RATES_HZ,
  // Silence, of which a packet and its length have four bytes.
  minEncodedBytes: (sampleCount, sampleRateHz) => Math.floor(sampleCount / sampleRateHz / FRAME_SECONDS) * 4,
  maxEncodedBytes: (sampleCount, sampleRateHz) =>
    HEADER_BYTES +
    (Math.ceil(sampleCount / sampleRateHz / FRAME_SECONDS) + 1) * (MAX_PACKET_BYTES + FRAME_OVERHEAD_BYTES),
  warmUp,
  openStream: openOgg,
  encode: encodeWith(openOgg),
};

/**
 * Opus in WebM, for the media source of a browser, which reads no Ogg. Of the last packet the whole 20 ms are heard, since
 * browsers do not cut the end in this container.
 */
export const webmEncoder: StreamEncoder = {
  format: "webm",
  mimeType: "audio/webm",
  fileExtension: "webm",
  sampleRatesHz: OPUS_RATES_HZ,
  warmUp,
  openStream: (options) => openStream("webm", options),
};

function openOgg(options: EncoderStreamOptions): Promise<AudioEncoderStream> {
  return openStream("opus", options);
}

async function openStream(format: OpusFormat, options: EncoderStreamOptions): Promise<AudioEncoderStream> {
  const { sampleRateHz, tags, purpose } = options;
  const titles = format === "opus" && purpose === "file" ? (options.chapterTitles ?? []) : [];
  if (!OPUS_RATES_HZ.includes(sampleRateHz))
    throw sampleRateProblem({ format, sampleRatesHz: OPUS_RATES_HZ }, sampleRateHz);
  const encoder = await OpusPacketsEncoder.open(sampleRateHz);
  const file = await openPacketFile(
    format === "opus" ? "ogg" : "webm",
    encoder.head(sampleRateHz),
    tags,
    fileChapters(titles),
  );
  let isOpen = true;
  const release = () => {
    if (isOpen) encoder.free();
    isOpen = false;
  };
  return {
    write: async (pcm) => (isOpen ? await file.add(encoder.write(pcm)) : new Uint8Array(0)),
    end: async (chapterSeconds = []) => {
      try {
        if (!isOpen || encoder.sampleCount === 0) {
          throw new HiggsError("GENERATION_FAILED", "encode Opus", "it has no samples");
        }
        const last = await file.add(encoder.end());
        const { sampleCount } = encoder;
        const tail = joinBytes([last, await file.finish()]);
        const chapters = fileChapters(titles, chapterSeconds, sampleCount / sampleRateHz);
        return { tail, head: chapters.length === 0 ? null : file.frontWith(chapters), sampleCount };
      } finally {
        release();
      }
    },
    close: release,
  };
}
