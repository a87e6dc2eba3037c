import { isHiggsError } from "@higgs-worker/base";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFixture } from "../testing/describe-audio-decoder.ts";
import { noise } from "../testing/describe-audio-encoder.ts";
import {
  ascii,
  chunk,
  concat,
  floatBytes,
  little,
  makeFlacBomb,
  makeOggPage,
  makeSilentMp3,
  makeWav,
} from "../testing/made-files.ts";
import { decodeHere } from "./decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";

const second = new Uint8Array(32_000);
const flac = readFixture("flac-s16-stereo-44k.flac");
const opus = readFixture("ogg-opus-stereo.opus");
const vorbis = readFixture("ogg-vorbis-stereo-44k.ogg");
const webm = readFixture("webm-opus-stereo.webm");
const mp4 = readFixture("mp4-opus-stereo.mp4");

function changed(bytes: Uint8Array, offset: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, offset);
  return copy;
}

const opusHead = (channels: number, ...rest: number[]) =>
  concat(
    ascii("OpusHead"),
    Uint8Array.of(1, channels),
    little(2, 312),
    little(4, 48_000),
    little(2, 0),
    Uint8Array.from(rest),
  );

const vorbisHead = (channels: number, sampleRateHz: number) =>
  concat(
    ascii("\u0001vorbis"),
    little(4, 0),
    Uint8Array.of(channels),
    little(4, sampleRateHz),
    new Uint8Array(12),
    Uint8Array.of(0xb8, 1),
  );

const REFUSED: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ["nothing", new Uint8Array(0), /not supported audio \(got an empty file, supported wav, w64/],
  ["one byte", Uint8Array.of(0xff), /got bytes of an unknown format/],
  [
    "random bytes",
    Uint8Array.from(noise(65_536, 5, 1), (x) => Math.floor((x + 1) * 127.9)),
    /got bytes of an unknown format/,
  ],
  ["zeros", new Uint8Array(100_000), /got bytes of an unknown format/],
  ["an HTML page", ascii("\n<!DOCTYPE html><html><body>404 Not Found</body></html>"), /got an HTML page/],
  ["HTML after a byte order mark", ascii("\u00ef\u00bb\u00bf<html lang=en>"), /got an HTML page/],
  [
    "an error of an object store",
    ascii('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
    /got an XML document/,
  ],
  ["JSON", ascii('{"detail": "not found"}'), /got a JSON document/],
  ["text", ascii("Not found\n"), /got text/],
  ["base64 that was not decoded", ascii("UklGRiQAAABXQVZF"), /got text/],
  ["a picture", concat(ascii("\u0089PNG\r\n\u001a\n"), second), /got a PNG picture/],
  ["an archive", concat(ascii("PK\u0003\u0004"), second), /got a zip archive/],
  ["AAC: a header alone", Uint8Array.of(0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc), /AAC data is damaged/],
  ["AIFF", concat(ascii("FORM"), little(4, 100), ascii("AIFF"), second), /AIFF format chunk is missing/],
  [
    "a video without sound",
    concat(ascii("RIFF"), little(4, 100), ascii("AVI LIST")),
    /got AVI video.*ffmpeg -i clip.avi/,
  ],

  ["WAV: only the magic", ascii("RIFF\u0004\u0000\u0000\u0000WAVE"), /format chunk is missing/],
  ["WAV: no samples", makeWav(new Uint8Array(0)), /contains no audio \(got 0 samples\)/],
  ["WAV: no data chunk", makeWav(second).subarray(0, 36), /data chunk is missing/],
  ["WAV: no format, only samples", concat(ascii("RIFF....WAVE"), chunk("data", second)), /format chunk is missing/],
  ["WAV: format of 4 GiB", makeWav(second, { formatSize: 2 ** 32 - 1 }), /impossible size \(got 4294967295 bytes\)/],
  ["WAV: format of 3 bytes", makeWav(second, { formatSize: 3 }), /impossible size \(got 3 bytes\)/],
  ["WAV: NaN", makeWav(floatBytes([0, 0.5, Number.NaN]), { tag: 3, bits: 32 }), /not PCM between -1 and 1 \(got NaN/],
  ["WAV: infinity", makeWav(floatBytes([0, -Infinity]), { tag: 3, bits: 32 }), /got Infinity/],
  [
    "WAV: floats of the range of integers",
    makeWav(floatBytes([0, 32_767]), { tag: 3, bits: 32 }),
    /got a level of 3.28e\+4, limit 1000/,
  ],
  ["WAV: doubles that no float holds", makeWav(floatBytes([1e300], 64), { tag: 3, bits: 64 }), /got Infinity/],
  [
    "WAV: values that cancel out",
    makeWav(floatBytes([Infinity, -Infinity]), { tag: 3, bits: 32, channels: 2 }),
    /got Infinity/,
  ],
  ["WAV: 0 Hz", makeWav(second, { sampleRateHz: 0 }), /rate is too low \(got 0 Hz, limit 4000 Hz\)/],
  ["WAV: 1 Hz", makeWav(second, { sampleRateHz: 1 }), /rate is too low \(got 1 Hz, limit 4000 Hz\)/],
  ["WAV: 400 kHz", makeWav(second, { sampleRateHz: 400_000 }), /too high \(got 400000 Hz, limit 384000 Hz\)/],
  ["WAV: 4 GHz", makeWav(second, { sampleRateHz: 2 ** 32 - 1 }), /too high \(got 4294967295 Hz/],
  [
    "WAV: 64 channels",
    makeWav(second, { channels: 64 }),
    /number of channels is not supported \(got 64, limit 1 to 32\)/,
  ],
  ["WAV: 32767 channels of 16 bits", makeWav(second, { channels: 32_767 }), /got 32767, limit 1 to 32/],
  ["WAV: no channel", makeWav(second, { channels: 0 }), /contradicts itself/],
  ["WAV: 56 bits", makeWav(second, { bits: 56 }), /got 56 bits, supported 8, 16, 24, 32, 64/],
  ["WAV: floats of 16 bits", makeWav(second, { tag: 3 }), /got 16 bits, supported 32, 64/],
  ["WAV: ADPCM of 16 bits", makeWav(second, { tag: 2 }), /ADPCM sample size is not supported \(got 16 bits/],
  ["WAV: ADPCM in blocks of a byte", makeWav(second, { tag: 17, bits: 4, frameBytes: 1 }), /blocks are too short/],
  ["WAV: GSM", makeWav(second, { tag: 49 }), /got GSM 6.10, supported PCM, .*ffmpeg -i clip.wav -vn converted.wav/],
  ["WAV: unknown encoding", makeWav(second, { tag: 4_711 }), /got format 4711/],
  ["WAV: extensible without extension", makeWav(second, { tag: 0xfffe }), /too short \(got 16 bytes, limit 40\)/],
  ["WAV: unknown sub-format", makeWav(second, { tag: 0xfffe, extension: new Uint8Array(24) }), /sub-format is unknown/],
  [
    "WAV: ten minutes",
    makeWav(new Uint8Array(600 * 8_000), { bits: 8, sampleRateHz: 8_000 }),
    /more than 600 s, limit 120 s/,
  ],

  ["FLAC: 12 minutes in 18 kB", makeFlacBomb(512), /more than 1[2-4]\d s, limit 120 s/],
  ["FLAC: the header says 400 hours", makeFlacBomb(1, 2 ** 36 - 1), /more than 1431655 s, limit 120 s/],
  ["FLAC: cut off", flac.subarray(0, 3_000), /ends too early|damaged/],
  ["FLAC: only a header", flac.subarray(0, 42), /ends too early|contains no audio/],
  ["FLAC: half a header", flac.subarray(0, 20), /header is missing or cut off/],
  ["FLAC: 1 Hz", makeFlacBomb(1, 0, 1), /got 1 Hz, limit 4000 Hz/],
  ["MP3: three hours in 11 MB", makeSilentMp3(3 * 3_600), /more than 12\d s, limit 120 s/],
  [
    "MP3: a tag that promises 256 MB",
    concat(ascii("ID3\u0004\u0000\u0000"), Uint8Array.of(127, 127, 127, 127), second),
    /no MP3 frame/,
  ],
  ["Opus: cut off in the audio", opus.subarray(0, opus.length - 100), /last Ogg page is cut off/],
  ["Opus: cut off in the header", opus.subarray(0, 40), /Ogg that ends in its first page/],
  ["Opus: only the header", makeOggPage(opusHead(1, 0)), /no Opus packet|contains no audio/],
  ["Opus: no channel", makeOggPage(opusHead(0, 0)), /impossible number of channels \(got 0, limit 2\)/],
  [
    "Opus: 200 channels",
    makeOggPage(opusHead(200, 255, 200, 0, ...Array.from({ length: 200 }, (_, i) => i))),
    /got 200, limit 1 to 32/,
  ],
  [
    "Opus: a mapping to nowhere",
    makeOggPage(opusHead(2, 1, 1, 0, 0, 9)),
    /channel mapping in its Opus header contradicts/,
  ],
  ["Vorbis: only the header", makeOggPage(vorbisHead(1, 16_000)), /damaged|contains no audio/],
  ["Vorbis: 255 channels", makeOggPage(vorbisHead(255, 16_000)), /got 255, limit 1 to 32/],
  ["Vorbis: 4 GHz", makeOggPage(vorbisHead(1, 2 ** 32 - 1)), /too high \(got 4294967295 Hz/],
  ["Vorbis: cut off", vorbis.subarray(0, 4_500), /last Ogg page is cut off/],
  ["Ogg: Speex", makeOggPage(ascii("Speex   1.2")), /got Ogg Speex/],
  ["Ogg: a video", makeOggPage(ascii("\u0080theora")), /Ogg without a known audio codec/],
  ["WebM: the magic and noise", concat(webm.subarray(0, 40), second), /damaged|no audio|codec/],
  ["MP4: the magic and noise", concat(mp4.subarray(0, 32), second), /damaged|no audio|codec/],
  ["MP4: a box of no size", concat(mp4.subarray(0, 32), little(4, 0), ascii("moov"), second), /damaged|no audio|codec/],
];

const ACCEPTED: readonly (readonly [string, Uint8Array, number])[] = [
  ["WAV: 192 kHz", makeWav(second, { sampleRateHz: 192_000 }), 16_000],
  ["WAV: 32 channels", makeWav(second, { channels: 32 }), 500],
  ["WAV: size left open by ffmpeg", makeWav(second, { dataSize: 2 ** 32 - 1 }), 16_000],
  ["WAV: size left open by sox", makeWav(second, { dataSize: 0x7fff_f024 }), 16_000],
  [
    "WAV: RF64",
    makeWav(second, { magic: "RF64", dataSize: 2 ** 32 - 1, before: [["ds64", new Uint8Array(28)]] }),
    16_000,
  ],
  ["WAV: a chunk of odd size before", makeWav(second, { before: [["LIST", new Uint8Array(7)]] }), 16_000],
  ["WAV: 12 bits in 16", makeWav(second, { bits: 12, frameBytes: 2 }), 16_000],
  ["WAV: 64-bit integers", makeWav(second, { bits: 64 }), 4_000],
  ["WAV: half a frame at the end", makeWav(second.subarray(0, 31_999), { channels: 2, bits: 16 }), 7_999],
  ["FLAC: an ID3 tag before", concat(ascii("ID3\u0004\u0000\u0000\u0000\u0000\u0000\u0005....."), flac), 6_615],
  [
    "MP3: garbage before",
    concat(
      Uint8Array.from({ length: 100 }, (_, i) => (i * 7) & 0x7f),
      makeSilentMp3(1),
    ),
    8_064,
  ],
  ["MP3: a tag behind", concat(makeSilentMp3(1), ascii("TAG"), new Uint8Array(125)), 8_064],
];

describe("decodeHere()", () => {
  it.each(REFUSED)("refuses %s", async (_name, bytes, message) => {
    const before = process.memoryUsage().arrayBuffers;
    await expect(decodeHere(bytes, DEFAULT_DECODE_LIMITS)).rejects.toMatchObject({
      code: "REFERENCE_INVALID",
      message: expect.stringMatching(message),
    });
    // Not more than the longest audio of 8 channels needs, and far from the size that the file promises.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(500e6);
  });

  it.each(ACCEPTED)("reads %s", async (_name, bytes, sampleCount) => {
    const audio = await decodeHere(bytes, DEFAULT_DECODE_LIMITS);
    expect(Math.abs(audio.samples.length - sampleCount)).toBeLessThanOrEqual(
      bytes[0] === 0x52 || bytes[4] === 4 ? 0 : 2_000,
    );
  });

  it("holds the size to the limit before it looks at the bytes", async () => {
    await expect(decodeHere(second, { ...DEFAULT_DECODE_LIMITS, maxBytes: 31_999 })).rejects.toMatchObject({
      message: "Cannot read the audio: it is too large (got 32000 bytes, limit 31999)",
    });
  });

  it("goes by the bytes of a later part too: one wrong bit in FLAC is found", async () => {
    const bytes = changed(flac, 2_500, (flac[2_500] ?? 0) ^ 0x10);
    await expect(decodeHere(bytes, DEFAULT_DECODE_LIMITS)).rejects.toMatchObject({ code: "REFERENCE_INVALID" });
  });
});

/** Not those of the container library: one wrong byte can make it loop for ever, which only its thread can end. */
const READ_HERE = [
  "wav-s16-stereo-16k.wav",
  "wav-ima-stereo-16k.wav",
  "wav-msadpcm-stereo-16k.wav",
  "wav-mulaw-mono-8k.wav",
  "wav-mp3-stereo-44k.wav",
  "w64-s16-stereo-16k.w64",
  "aiff-s24-mono-16k.aiff",
  "aifc-f32-stereo-16k.aiff",
  "caf-s16be-stereo-16k.caf",
  "caf-alac-stereo-16k.caf",
  "au-s24-stereo-16k.au",
  "aac-adts-stereo-44k.aac",
  "aac-latm-mono-22k.latm",
  "ogg-opus-stereo.opus",
  "ogg-opus-surround.opus",
].map(readFixture);

/** Most of what can go wrong does so in the headers. */
const place = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.02, noNaN: true }));
const edits = fc.array(fc.tuple(place, fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255))), {
  minLength: 1,
  maxLength: 24,
});

it("gives finite samples or REFERENCE_INVALID for files that are cut, flipped and joined, in bounded memory", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...READ_HERE), edits, fc.option(place), async (bytes, changes, cut) => {
      const damaged = cut === null ? bytes.slice() : bytes.slice(0, Math.floor(cut * bytes.length));
      for (const [share, value] of changes) damaged[Math.floor(share * (damaged.length - 1))] = value;
      const before = process.memoryUsage().arrayBuffers;
      try {
        const audio = await decodeHere(concat(damaged, damaged), DEFAULT_DECODE_LIMITS);
        expect(audio.samples.every(Number.isFinite)).toBe(true);
      } catch (error) {
        if (!isHiggsError(error) || error.code !== "REFERENCE_INVALID") throw error;
      }
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(500e6);
    }),
    { numRuns: 150 },
  );
});
