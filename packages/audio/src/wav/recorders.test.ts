import { expect, it } from "vitest";
import { decodeHere } from "../decoding/decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";
import { noise } from "../testing/describe-audio-encoder.ts";
import { ascii, chunk, concat, floatBytes, little, makeWav } from "../testing/made-files.ts";

/** Half a second of 16-bit noise at 16 kHz, odd in no way. */
const values = Int16Array.from(noise(8_000, 3, 20_000));
const data = new Uint8Array(values.buffer);
const expected = Float32Array.from(values, (value) => value / 2 ** 15);
const list = chunk("LIST", ascii("INFOISFT\u0006\u0000\u0000\u0000Lavf59"));

const decode = (bytes: Uint8Array) => decodeHere(bytes, DEFAULT_DECODE_LIMITS);

/** Changes the 32 bits at an offset. */
function patched(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy.set(little(4, value), offset);
  return copy;
}

const RIFF_SIZE = 4;
const DATA_SIZE = 40;
const wav = makeWav(data);

const format = (tag: number, extension: Uint8Array = new Uint8Array(0)) =>
  concat(little(2, tag), little(2, 1), little(4, 16_000), little(4, 32_000), little(2, 2), little(2, 16), extension);

const AMBISONIC_TAIL = Uint8Array.of(0, 0, 0x21, 7, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0);

const SAME_AUDIO: readonly (readonly [string, Uint8Array])[] = [
  ["a BlockAlign of 1 on 16-bit mono", makeWav(data, { frameBytes: 1 })],
  ["a BlockAlign of 0", makeWav(data, { frameBytes: 0 })],
  ["a BlockAlign of 4 copied from a stereo header", makeWav(data, { frameBytes: 4 })],
  ["no bits but a BlockAlign", makeWav(data, { bits: 0, frameBytes: 2 })],
  ["sizes of 0 from a recorder that was switched off", patched(patched(wav, RIFF_SIZE, 0), DATA_SIZE, 0)],
  ["a data size of 0 and a RIFF size of the header", patched(patched(wav, RIFF_SIZE, 36), DATA_SIZE, 0)],
  ["a RIFF size of 4 GiB and a data size of 0", patched(patched(wav, RIFF_SIZE, 2 ** 32 - 1), DATA_SIZE, 0)],
  ["sizes of 4 GiB from ffmpeg in a pipe", patched(patched(wav, RIFF_SIZE, 2 ** 32 - 1), DATA_SIZE, 2 ** 32 - 1)],
  ["sizes of 2 GiB from Python in a pipe", patched(wav, DATA_SIZE, 0x7fff_ffff)],
  ["a RIFF size of another file", patched(wav, RIFF_SIZE, 4_711)],
  ["chunks behind the samples", concat(wav, list)],
  [
    "JUNK, bext, LIST and PAD before the format",
    makeWav(data, {
      before: [
        ["JUNK", new Uint8Array(28)],
        ["bext", new Uint8Array(603)],
        ["LIST", ascii("INFO")],
        ["PAD ", new Uint8Array(4)],
      ],
    }),
  ],
  [
    "no padding after a chunk of odd size",
    concat(
      ascii("RIFF"),
      little(4, 100),
      ascii("WAVE"),
      ascii("LIST"),
      little(4, 7),
      ascii("INFOabc"),
      chunk("fmt ", format(1)),
      chunk("data", data),
    ),
  ],
  [
    "the samples before the format",
    concat(ascii("RIFF"), little(4, 100), ascii("WAVE"), chunk("data", data), chunk("fmt ", format(1))),
  ],
  ["an ID3 tag before RIFF", concat(ascii("ID3\u0004\u0000\u0000\u0000\u0000\u0000\u0005....."), wav)],
  [
    "an ambisonic sub-format",
    concat(
      ascii("RIFF"),
      little(4, 100),
      ascii("WAVE"),
      chunk("fmt ", format(0xfffe, concat(little(2, 22), little(2, 16), little(4, 0), little(2, 1), AMBISONIC_TAIL))),
      chunk("data", data),
    ),
  ],
  [
    "RF64 with the size in ds64, and chunks behind",
    concat(
      ascii("RF64"),
      little(4, 2 ** 32 - 1),
      ascii("WAVE"),
      chunk("ds64", concat(little(8, 100), little(8, data.length), little(8, 8_000), little(4, 0))),
      chunk("fmt ", format(1)),
      ascii("data"),
      little(4, 2 ** 32 - 1),
      data,
      list,
    ),
  ],
  ["BW64", concat(ascii("BW64"), wav.subarray(4))],
];

it.each(SAME_AUDIO)("reads a WAV file with %s", async (_name, bytes) => {
  const audio = await decode(bytes);
  expect(audio.samples).toEqual(expected);
  expect(audio).toMatchObject({ format: "wav", sampleRateHz: 16_000, channels: 1, missingBytes: 0 });
});

it("reads RIFX, which is big-endian WAV", async () => {
  const big = (bytes: number, value: number) => little(bytes, value).reverse();
  const header = concat(
    ascii("RIFX"),
    big(4, 36 + data.length),
    ascii("WAVEfmt "),
    big(4, 16),
    big(2, 1),
    big(2, 1),
    big(4, 16_000),
    big(4, 32_000),
    big(2, 2),
    big(2, 16),
    ascii("data"),
    big(4, data.length),
  );
  const swapped = Uint8Array.from(data, (_, i) => data[i ^ 1] ?? 0);
  expect((await decode(concat(header, swapped))).samples).toEqual(expected);
});

it("reads 12 and 20 bits, and 24 bits with a BlockAlign of 4", async () => {
  const wide = (shift: number, bytes: number) => {
    const packed = new Uint8Array(values.length * bytes);
    values.forEach((value, i) => packed.set(little(bytes, (value << shift) >>> 0), i * bytes));
    return packed;
  };
  for (const file of [
    makeWav(wide(8, 3), { bits: 24, frameBytes: 4 }),
    makeWav(wide(8, 3), { bits: 20, frameBytes: 3 }),
    makeWav(wide(0, 2), { bits: 12, frameBytes: 2 }),
  ]) {
    expect((await decode(file)).samples).toEqual(expected);
  }
});

it.each([
  ["by a byte", 1, 7_999],
  ["by half", 8_000, 4_000],
])("takes what is there of a file that is cut off %s, and says what is missing", async (_name, missing, count) => {
  const audio = await decode(wav.subarray(0, wav.length - missing));
  expect(audio.samples).toEqual(expected.subarray(0, count));
  expect(audio.missingBytes).toBe(missing);
});

it("reads what is there when the header declares more", async () => {
  const audio = await decode(patched(wav, DATA_SIZE, 1e9));
  expect(audio.samples).toEqual(expected);
  expect(audio.missingBytes).toBe(1e9 - data.length);
});

it("says that an empty file contains no audio, even if other chunks follow", async () => {
  const empty = makeWav(new Uint8Array(0));
  for (const bytes of [empty, concat(empty, list), concat(empty, list, chunk("id3 ", new Uint8Array(9)))]) {
    await expect(decode(bytes)).rejects.toMatchObject({
      message: "Cannot read the audio: it contains no audio (got 0 samples)",
    });
  }
});

it("keeps floats unchanged, even beyond full scale", async () => {
  const audio = await decode(makeWav(floatBytes([0.25, -1.5, 2]), { tag: 3, bits: 32, frameBytes: 3 }));
  expect([...audio.samples]).toEqual([0.25, -1.5, 2]);
});
