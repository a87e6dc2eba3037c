import type { PcmSink } from "../decoder/pcm-sink.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";
import type { OpusHead } from "./opus-head.ts";

/** Opus is always decoded at this rate, regardless of the original one. */
export const OPUS_SAMPLE_RATE_HZ = 48_000;

export interface OpusPackets {
  /**
   * All samples of a packet.
   *
   * @throws {HiggsError} REFERENCE_INVALID when it is damaged
   */
  readonly decode: (packet: Uint8Array) => readonly Float32Array[];
  readonly free: () => void;
}

/** Decodes packets from the first one on; begins `pcm`. */
export async function openOpusDecoder(head: OpusHead, pcm: PcmSink): Promise<OpusPackets> {
  pcm.begin(OPUS_SAMPLE_RATE_HZ, head.channels);
  const { OpusDecoder } = await import("opus-decoder");
  const decoder = new OpusDecoder({ sampleRate: OPUS_SAMPLE_RATE_HZ, ...head, preSkip: 0 });
  await decoder.ready;
  return {
    decode: (packet) => {
      const { channelData, samplesDecoded, errors } = decoder.decodeFrame(packet);
      const [error] = errors;
      if (error !== undefined) {
        throw referenceInvalid(`an Opus packet is damaged after ${pcm.sampleCount} samples`, error);
      }
      return channelData.map((channel) => channel.subarray(0, samplesDecoded));
    },
    free: () => decoder.free(),
  };
}
