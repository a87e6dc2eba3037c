import { BufferSource, EncodedPacketSink, Input, MP4 } from "mediabunny";
import { expect, it } from "vitest";
import { decodeHere } from "../decoding/decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { describeAudioDecoder, readFixture } from "../testing/describe-audio-decoder.ts";
import { ascii, concat, little } from "../testing/made-files.ts";

const caf = { format: "caf", sampleRateHz: 16_000, channels: 2, noticesTruncation: false } as const;

describeAudioDecoder([
  { ...caf, file: "caf-s16be-stereo-16k.caf", tolerance: 1e-4 },
  // Its table of packets comes behind the samples.
  { ...caf, file: "caf-alac-stereo-16k.caf", tolerance: 1e-4, noticesTruncation: true },
]);

const big = (bytes: number, value: number) => little(bytes, value).reverse();

function cafChunk(id: string, content: Uint8Array): Uint8Array {
  return concat(ascii(id), big(8, content.length), content);
}

/** Sizes of 7 bits a byte, the highest first. */
const sized = (size: number) => (size < 128 ? [size] : [0x80 | (size >> 7), size & 0x7f]);

it("reads AAC as a Mac's recorder writes it, without the encoder's delay", async () => {
  const m4a = readFixture("m4a-aac-mono-22k.m4a");
  const expected = await decodeHere(m4a, DEFAULT_DECODE_LIMITS);
  using input = new Input({ formats: [MP4], source: new BufferSource(m4a) });
  const track = await input.getPrimaryAudioTrack();
  if (track === null) throw new Error("no track");
  const packets: Uint8Array[] = [];
  for await (const { data } of new EncodedPacketSink(track).packets()) packets.push(data);
  const rate = new DataView(new ArrayBuffer(8));
  rate.setFloat64(0, 22_050);
  // The configuration of LC at 22.05 kHz with one channel, within three descriptors.
  const specific = Uint8Array.of(5, 2, 0x13, 0x88);
  const configuration = concat(Uint8Array.of(4, 13 + specific.length), new Uint8Array(13), specific);
  const cookie = concat(Uint8Array.of(3, 0x80, 3 + configuration.length), new Uint8Array(3), configuration);
  const table = concat(big(8, packets.length), big(8, expected.samples.length), big(4, 1_024), big(4, 0));
  const caf = concat(
    ascii("caff"),
    big(2, 1),
    big(2, 0),
    cafChunk(
      "desc",
      concat(new Uint8Array(rate.buffer), ascii("aac "), big(4, 2), big(4, 0), big(4, 1_024), big(4, 1), big(4, 0)),
    ),
    cafChunk("kuki", cookie),
    cafChunk("pakt", concat(table, Uint8Array.from(packets.flatMap(({ length }) => sized(length))))),
    cafChunk("data", concat(big(4, 0), ...packets)),
  );
  const audio = await decodeHere(caf, DEFAULT_DECODE_LIMITS);
  expect(audio.format).toBe("caf");
  expect(audio.samples).toEqual(expected.samples);
});

it("reads what a recorder left of unknown size", async () => {
  const caf = readFixture("caf-s16be-stereo-16k.caf").slice();
  const place = Buffer.from(caf).indexOf("data") + 4;
  caf.fill(0xff, place, place + 8);
  const whole = await decodeHere(readFixture("caf-s16be-stereo-16k.caf"), DEFAULT_DECODE_LIMITS);
  expect((await decodeHere(caf, DEFAULT_DECODE_LIMITS)).samples).toEqual(whole.samples);
});
