import { expect, it } from "vitest";
import { ascii, concat, little } from "../testing/made-files.ts";
import { describeOther, sniffAudio } from "./sniff-audio.ts";

const rest = Uint8Array.from({ length: 2_000 }, (_, i) => (i * 167) & 0xff);

/** What people send, what it is called, and what ffmpeg makes a WAV file of. */
const NAMED: readonly (readonly [magic: string, name: string, command: string | null])[] = [
  ["#!AMR\n", "AMR audio", "clip.amr"],
  ["#!AMR-WB\n", "AMR-WB audio", "clip.awb"],
  ["\u0030\u0026\u00b2\u0075\u008e\u0066\u00cf\u0011", "WMA or other ASF audio", "clip.wma"],
  ["\u000bw", "AC-3 audio", "clip.ac3"],
  ["\u007f\u00fe\u0080\u0001", "DTS audio", "clip.dts"],
  ["FLV\u0001", "FLV video", "clip.flv"],
  ["wvpk", "WavPack audio", "clip.wv"],
  ["MAC ", "Monkey's Audio", "clip.ape"],
  ["MPCK", "Musepack audio", "clip.mpc"],
  ["TTA1", "True Audio (TTA)", "clip.tta"],
  ["DSD ", "DSD audio (DSF)", "clip.dsf"],
  ["FRM8", "DSD audio (DSDIFF)", "clip.dff"],
  [".RMF", "RealMedia audio", "clip.rm"],
  ["NIST_1A\n", "NIST SPHERE audio", "clip.sph"],
  ["Creative Voice File\u001a", "VOC audio", "clip.voc"],
  ["RIFF\u0000\u0000\u0000\u0000AVI ", "AVI video", "clip.avi"],
  ["FORM\u0000\u0000\u0000\u00008SVX", "IFF 8SVX audio", "clip.8svx"],
  ["\u0000\u0000\u0001\u00ba", "MPEG program stream", "clip.mpg"],
  ["\u0000\u0000\u0000\u0008wide", "old QuickTime", "clip.mov"],
  ["MThd", "MIDI, which holds notes instead of audio", null],
  ["#EXTM3U\n", "a playlist, which holds links instead of audio", null],
  ["\u001f\u008b\u0008", "a gzip archive", null],
];

it.each(NAMED)("names %j and says how to convert it", (magic, name, command) => {
  const sniffed = sniffAudio(concat(ascii(magic), rest));
  expect(sniffed).toMatchObject({ other: name });
  const message = "other" in sniffed ? describeOther(sniffed) : "";
  expect(message).toMatch(/^it is not supported audio \(got .*, supported wav, w64, aiff,/);
  expect(/ffmpeg -i (?<file>\S+) -vn clip\.wav$/.exec(message)?.groups?.["file"] ?? null).toBe(command);
});

it("looks behind an ID3 tag too", () => {
  const tag = concat(ascii("ID3\u0004\u0000\u0000"), Uint8Array.of(0, 0, 0, 5), ascii("....."));
  expect(sniffAudio(concat(tag, ascii("MAC "), rest))).toMatchObject({ other: "Monkey's Audio" });
  expect(sniffAudio(concat(tag, ascii("RIFF"), little(4, 100), ascii("WAVE")))).toEqual({ format: "wav" });
  expect(sniffAudio(tag)).toEqual({ format: "mp3" });
});
