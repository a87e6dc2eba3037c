import type { AudioTags } from "../audio-encoder.ts";
import type { FileChapter } from "../chapters.ts";
import { joinBytes } from "../join-bytes.ts";
import { oggChecksum, withOggSerial } from "../ogg/page-checksum.ts";
import { fileComments } from "../vorbis-comment.ts";
import { FrontPages } from "./front-pages.ts";
import type { OpusPacket } from "./packets-encoder.ts";

const OPUS_RATE_HZ = 48_000;

/** Without a limit, pages are sent when they are full: after two seconds of speech. */
const MAX_PAGE_SECONDS = 0.1;
const MIN_CLUSTER_SECONDS = 1;

/** A container in the making. */
export interface PacketFile {
  /** The bytes that are ready with these packets. */
  add(packets: readonly OpusPacket[]): Promise<Uint8Array>;
  /** The last bytes. */
  finish(): Promise<Uint8Array>;
  /** The front of an Ogg file with these chapters, which must have the titles of those it was begun with. */
  frontWith(chapters: readonly FileChapter[]): Uint8Array;
}

/** Begins a file of Opus packets; `head` is their identification header, and the places of `chapters` are not known yet. */
export async function openPacketFile(
  container: "ogg" | "webm",
  head: Uint8Array,
  tags: AudioTags | undefined,
  chapters: readonly FileChapter[],
): Promise<PacketFile> {
  const {
    EncodedAudioPacketSource,
    EncodedPacket,
    NullTarget,
    OggOutputFormat,
    Output,
    StreamTarget,
    WebMOutputFormat,
  } = await loadContainers();
  let ready: Uint8Array[] = [];
  const front = new FrontPages();
  let serial: number | undefined;
  const output =
    container === "ogg"
      ? new Output({
          format: new OggOutputFormat({
            maximumPageDuration: MAX_PAGE_SECONDS,
            onPage: (page) => {
              const ours = withOggSerial(page, serial ?? 0);
              front.add(ours);
              ready.push(ours);
            },
          }),
          target: new NullTarget(),
        })
      : new Output({
          format: new WebMOutputFormat({ appendOnly: true, minimumClusterDuration: MIN_CLUSTER_SECONDS }),
          target: new StreamTarget(new WritableStream({ write: ({ data }) => void ready.push(data.slice()) })),
        });
  const source = new EncodedAudioPacketSource("opus");
  output.addAudioTrack(source);
  const { TITLE: title, ...raw } = Object.fromEntries(fileComments(tags, chapters));
  output.setMetadataTags({ ...(title !== undefined && { title }), raw });
  await output.start();
  const decoderConfig = { codec: "opus", numberOfChannels: 1, sampleRate: OPUS_RATE_HZ, description: head };
  const take = () => {
    const bytes = joinBytes(ready);
    ready = [];
    return bytes;
  };
  return {
    add: async (packets) => {
      for (const { data, start, duration } of packets) {
        // Drawn by the library otherwise, and the same audio would not give the same file.
        serial ??= oggChecksum(data);
        const packet = new EncodedPacket(data, "key", start / OPUS_RATE_HZ, duration / OPUS_RATE_HZ);
        await source.add(packet, { decoderConfig });
      }
      return take();
    },
    finish: async () => {
      await output.finalize();
      return take();
    },
    frontWith: (known) => front.withComments(fileComments(tags, known)),
  };
}

/** Takes about 80 ms. */
export const loadContainers = () => import("mediabunny");
