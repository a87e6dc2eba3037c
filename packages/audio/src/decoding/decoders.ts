import type { AudioDecoder, SourceFormat } from "../decoder/audio-decoder.ts";

/** The decoder of each format, loaded on demand: a WAV file needs no codec library. */
export const DECODERS: Readonly<Record<SourceFormat, () => Promise<AudioDecoder>>> = {
  wav: async () => (await import("../wav/decoder.ts")).wavDecoder,
  w64: async () => (await import("../w64/decoder.ts")).w64Decoder,
  aiff: async () => (await import("../aiff/decoder.ts")).aiffDecoder,
  caf: async () => (await import("../caf/decoder.ts")).cafDecoder,
  au: async () => (await import("../au/decoder.ts")).auDecoder,
  flac: async () => (await import("../flac/decoder.ts")).flacDecoder,
  "ogg-flac": async () => (await import("../flac/decoder.ts")).flacDecoder,
  mp3: async () => (await import("../mp3/decoder.ts")).mp3Decoder,
  aac: async () => (await import("../aac/decoder.ts")).aacDecoder,
  "ogg-vorbis": async () => (await import("../vorbis/decoder.ts")).vorbisDecoder,
  "ogg-opus": async () => (await import("../opus/decoder.ts")).opusDecoder,
  webm: async () => (await import("../container/decoder.ts")).containerDecoder,
  mp4: async () => (await import("../container/decoder.ts")).containerDecoder,
  "mpeg-ts": async () => (await import("../container/decoder.ts")).containerDecoder,
};
