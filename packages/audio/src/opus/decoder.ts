import type { AudioDecoder } from "../decoding/audio-decoder.ts";
import type { PcmCollector } from "../decoding/pcm-collector.ts";
import { referenceInvalid } from "../decoding/reference-invalid.ts";
import { checkOggPages, firstOggPayload } from "../ogg/pages.ts";
import { readOpusHead } from "./opus-head.ts";

/** Opus always decodes to this rate here, whatever the rate before encoding was. */
const OPUS_SAMPLE_RATE_HZ = 48_000;

/** Ogg Opus by libopus, without the samples before the start (pre-skip) and after the end (last page). */
export const opusDecoder: AudioDecoder = { decode: decodeOpus };

async function decodeOpus(bytes: Uint8Array, pcm: PcmCollector): Promise<void> {
  const head = readOpusHead(firstOggPayload(bytes));
  checkOggPages(bytes);
  pcm.begin(OPUS_SAMPLE_RATE_HZ, head.channels);
  const [{ OpusDecoder }, { BufferSource, EncodedPacketSink, Input, OGG }] = await Promise.all([
    import("opus-decoder"),
    import("mediabunny"),
  ]);
  using input = new Input({ formats: [OGG], source: new BufferSource(bytes) });
  const track = await input.getPrimaryAudioTrack();
  if (track === null) throw referenceInvalid("it holds no Opus packet");
  const decoder = new OpusDecoder({ sampleRate: OPUS_SAMPLE_RATE_HZ, ...head });
  await decoder.ready;
  try {
    for await (const packet of new EncodedPacketSink(track).packets()) {
      const { channelData, samplesDecoded, errors } = decoder.decodeFrame(packet.data);
      const [error] = errors;
      if (error !== undefined)
        throw referenceInvalid(`an Opus packet is damaged after ${pcm.sampleCount} samples`, error);
      // The last packet's time is cut to where the audio ends.
      const endSample = Math.round((packet.timestamp + packet.duration) * OPUS_SAMPLE_RATE_HZ);
      const wanted = Math.min(samplesDecoded, Math.max(0, endSample - pcm.sampleCount));
      pcm.push(channelData.map((channel) => channel.subarray(0, wanted)));
    }
  } finally {
    decoder.free();
  }
}
