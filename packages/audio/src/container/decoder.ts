import type * as mediabunny from "mediabunny";
import type { AudioCodec, InputAudioTrack, OutputFormat } from "mediabunny";
import type { AudioDecoder } from "../decoding/audio-decoder.ts";
import type { DecodeLimits } from "../decoding/limits.ts";
import type { PcmCollector } from "../decoding/pcm-collector.ts";
import { referenceInvalid } from "../decoding/reference-invalid.ts";

type Library = typeof mediabunny;

/** A codec's own file format, and who reads it. */
interface Home {
  readonly format: (library: Library) => OutputFormat;
  readonly load: () => Promise<AudioDecoder>;
}

const WAV_HOME: Home = {
  format: (library) => new library.WavOutputFormat(),
  load: async () => (await import("../wav/decoder.ts")).wavDecoder,
};

const HOMES: Readonly<Partial<Record<AudioCodec, Home>>> = {
  opus: {
    format: (library) => new library.OggOutputFormat(),
    load: async () => (await import("../opus/decoder.ts")).opusDecoder,
  },
  vorbis: {
    format: (library) => new library.OggOutputFormat(),
    load: async () => (await import("../vorbis/decoder.ts")).vorbisDecoder,
  },
  flac: {
    format: (library) => new library.FlacOutputFormat(),
    load: async () => (await import("../flac/decoder.ts")).flacDecoder,
  },
  mp3: {
    format: (library) => new library.Mp3OutputFormat(),
    load: async () => (await import("../mp3/decoder.ts")).mp3Decoder,
  },
  "pcm-s16": WAV_HOME,
  "pcm-s24": WAV_HOME,
  "pcm-s32": WAV_HOME,
  "pcm-f32": WAV_HOME,
};

/**
 * WebM, Matroska, MP4 and QuickTime: the packets of the first audio track are put into the codec's own file format as they
 * are, and that format's decoder reads them. AAC has no decoder under a licence that this project can take.
 */
export const containerDecoder: AudioDecoder = { decode: decodeContainer };

async function decodeContainer(bytes: Uint8Array, pcm: PcmCollector, limits: DecodeLimits): Promise<void> {
  const library = await import("mediabunny");
  const source = new library.BufferSource(bytes);
  using input = new library.Input({ formats: [library.MATROSKA, library.WEBM, library.MP4, library.QTFF], source });
  const track = await input.getPrimaryAudioTrack();
  if (track === null) throw referenceInvalid("it holds no audio track");
  const codec = await track.getCodec();
  const home = codec === null ? undefined : HOMES[codec];
  if (codec === null || home === undefined) {
    const supported = "Opus, Vorbis, FLAC, MP3, PCM";
    throw referenceInvalid(
      `its audio codec is not supported (got ${codec ?? "an unknown one"}, supported ${supported})`,
    );
  }
  const file = await rewrap(library, track, codec, home.format(library), limits.maxDurationSeconds);
  await (await home.load()).decode(file, pcm, limits);
}

/** The track as a file of `format`; a little more than the longest duration is enough for its decoder to refuse it. */
async function rewrap(
  library: Library,
  track: InputAudioTrack,
  codec: AudioCodec,
  format: OutputFormat,
  maxDurationSeconds: number,
): Promise<Uint8Array> {
  const decoderConfig = await track.getDecoderConfig();
  if (decoderConfig === null) throw referenceInvalid("its audio track has no usable header");
  const target = new library.BufferTarget();
  const output = new library.Output({ format, target });
  const source = new library.EncodedAudioPacketSource(codec);
  output.addAudioTrack(source);
  await output.start();
  for await (const packet of new library.EncodedPacketSink(track).packets()) {
    await source.add(packet, { decoderConfig });
    if (packet.timestamp > maxDurationSeconds + 1) break;
  }
  await output.finalize();
  if (target.buffer === null) throw referenceInvalid("its audio track is empty");
  return new Uint8Array(target.buffer);
}
