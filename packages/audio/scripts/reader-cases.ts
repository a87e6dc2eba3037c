import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ascii, chunk, concat, little, makeWav } from "../src/testing/made-files.ts";

/** A file that every reader is given. */
export interface Case {
  readonly name: string;
  readonly path: string;
  /** Where it was not written yet. */
  readonly bytes?: Uint8Array;
  /** Of its source; undefined where readers may disagree. */
  readonly samples?: number | undefined;
  /** Largest difference from the closest reader; 1e-6 by default. */
  readonly tolerance?: number;
  /** The expected refusal. */
  readonly refusal?: RegExp;
}

const SECONDS = 1.2345;

/** Two tones that fade in and out: 440 Hz on the left, 660 Hz on the right. */
const SWELL = "(0.6+0.4*sin(5*2*PI*t))";
const LEFT = `0.5*${SWELL}*sin(440*2*PI*t)`;
const RIGHT = `0.25*${SWELL}*sin(660*2*PI*t)`;

/** Two encoders' builds round differently. */
const LOSSY = 5e-5;
const OPUS = 2e-3;
/** Steps of a 16-bit value: ffmpeg rounds the predictor in another place than libsndfile. */
const ADPCM = 0.05;

const FRAGMENTS = ["-movflags", "frag_keyframe+empty_moov+default_base_moof", "-frag_duration", "300000"];

/** Writes all files that tools make into `folder`. */
export function makeCases(folder: string): readonly Case[] {
  const cases: Case[] = [];
  const sources = new Map<string, { path: string; samples: number }>();
  const ffmpeg = (...args: string[]) => void execFileSync("ffmpeg", ["-v", "error", "-y", ...args], { stdio: "pipe" });

  function source(rate: number, channels: 1 | 2): { path: string; samples: number } {
    const key = `${rate}-${channels}`;
    const known = sources.get(key);
    if (known !== undefined) return known;
    const path = join(folder, `source-${key}.wav`);
    const tones = channels === 1 ? LEFT : `${LEFT}|${RIGHT}`;
    ffmpeg("-f", "lavfi", "-i", `aevalsrc=${tones}:s=${rate}:d=${SECONDS}`, "-c:a", "pcm_f32le", path);
    const made = { path, samples: Math.round(rate * SECONDS) };
    sources.set(key, made);
    return made;
  }

  /** By ffmpeg. `rest` may say that the length is known or not, and how far samples may differ. */
  function add(name: string, rate: number, channels: 1 | 2, args: readonly string[], rest: Partial<Case> = {}): void {
    const { path: input, samples } = source(rate, channels);
    const path = join(folder, name);
    ffmpeg("-i", input, ...args, path);
    cases.push({ name, path, samples, ...rest });
  }

  const codec = (name: string, ...more: string[]) => ["-c:a", name, "-strict", "-2", ...more];
  const unknown = { samples: undefined };

  for (const sample of ["u8", "s16le", "s24le", "s32le", "f32le", "f64le", "s64le"]) {
    add(`wav-${sample}.wav`, 22_050, 2, codec(`pcm_${sample}`));
    if (sample !== "s64le") add(`wav-${sample}-5.1-rate.wav`, 96_000, 1, codec(`pcm_${sample}`));
  }
  add("wav-bext.wav", 48_000, 2, ["-write_bext", "1", "-metadata", "description=x"]);
  add("wav-rf64.wav", 16_000, 1, ["-rf64", "always"]);
  add("wav-rf64-24.wav", 16_000, 2, ["-rf64", "always", ...codec("pcm_s24le")]);
  add("wav-mulaw.wav", 8_000, 1, codec("pcm_mulaw"));
  add("wav-alaw.wav", 8_000, 2, codec("pcm_alaw"));
  for (const channels of [1, 2] as const) {
    for (const block of ["256", "1024"]) {
      add(`wav-ima-${channels}-${block}.wav`, 22_050, channels, codec("adpcm_ima_wav", "-block_size", block), {
        ...unknown,
        tolerance: ADPCM,
      });
      add(`wav-msadpcm-${channels}-${block}.wav`, 22_050, channels, codec("adpcm_ms", "-block_size", block), {
        ...unknown,
        tolerance: ADPCM,
      });
    }
  }
  add("wav-mp3.wav", 44_100, 2, codec("libmp3lame"), { ...unknown, tolerance: LOSSY });
  for (const sample of ["s16le", "s24le", "f32le", "mulaw"])
    add(`w64-${sample}.w64`, 16_000, 2, codec(`pcm_${sample}`));
  for (const sample of ["s8", "s16be", "s24be", "s32be"]) add(`aiff-${sample}.aiff`, 16_000, 2, codec(`pcm_${sample}`));
  for (const sample of ["f32be", "f64be", "mulaw", "alaw", "s16le"]) {
    add(`aifc-${sample}.aifc`, 16_000, 1, ["-f", "aiff", ...codec(`pcm_${sample}`)]);
  }
  add("aifc-ima.aifc", 22_050, 2, ["-f", "aiff", ...codec("adpcm_ima_qt")], { ...unknown, tolerance: ADPCM });
  for (const sample of ["s16le", "s16be", "s24le", "s24be", "s32be", "f32le", "f64be", "mulaw", "alaw"]) {
    add(`caf-${sample}.caf`, 16_000, 2, codec(`pcm_${sample}`));
  }
  add("caf-alac.caf", 44_100, 2, codec("alac"));
  add("caf-ima.caf", 22_050, 1, codec("adpcm_ima_qt"), { ...unknown, tolerance: ADPCM });
  for (const sample of ["s8", "s16be", "s24be", "s32be", "f32be", "f64be", "mulaw", "alaw"]) {
    add(`au-${sample}.au`, 16_000, 2, codec(`pcm_${sample}`));
  }
  for (const channels of [1, 2] as const) add(`flac-${channels}.flac`, 44_100, channels, codec("flac"));
  add("flac.oga", 44_100, 2, codec("flac"));
  for (const rate of [44_100, 22_050, 16_000]) {
    add(`mp3-${rate}.mp3`, rate, 2, codec("libmp3lame"), { tolerance: LOSSY });
    add(`aac-${rate}.m4a`, rate, 1, codec("aac"), { tolerance: LOSSY });
    add(`aac-${rate}.aac`, rate, 2, codec("aac"), { ...unknown, tolerance: LOSSY });
  }
  add("mp2.mp2", 44_100, 2, codec("mp2"), { ...unknown, tolerance: LOSSY });
  add("mp2-16k.mp2", 16_000, 1, codec("mp2"), { ...unknown, tolerance: LOSSY });
  add("aac.latm", 44_100, 2, ["-f", "latm", ...codec("aac")], { ...unknown, tolerance: LOSSY });
  for (const [extension, format] of [
    ["mp4", "mp4"],
    ["mov", "mov"],
    ["mkv", "matroska"],
    ["ts", "mpegts"],
  ] as const) {
    add(`aac.${extension}`, 44_100, 2, ["-f", format, ...codec("aac")], { tolerance: LOSSY });
    if (extension !== "mov")
      add(`mp3.${extension}`, 44_100, 2, ["-f", format, ...codec("libmp3lame")], { tolerance: LOSSY });
  }
  add("mp3.mov", 44_100, 2, codec("libmp3lame"), { tolerance: LOSSY });
  add("mp2.mkv", 44_100, 2, codec("mp2"), { ...unknown, tolerance: LOSSY });
  for (const name of ["aac", "alac", "flac", "libopus", "libmp3lame"]) {
    add(`${name}-fragmented.mp4`, 48_000, 2, [...codec(name), ...FRAGMENTS], { ...unknown, tolerance: OPUS });
  }
  for (const extension of ["m4a", "mov", "mkv"]) add(`alac.${extension}`, 44_100, 2, codec("alac"));
  add("alac-24.m4a", 44_100, 2, codec("alac", "-sample_fmt", "s32p"));
  for (const extension of ["mp4", "mkv", "webm", "opus"])
    add(`opus.${extension}`, 48_000, 2, codec("libopus"), { tolerance: OPUS });
  for (const extension of ["ogg", "mkv", "webm"])
    add(`vorbis.${extension}`, 44_100, 2, codec("libvorbis"), { tolerance: LOSSY });
  for (const extension of ["mp4", "mkv"]) add(`flac.${extension}`, 44_100, 2, codec("flac"));
  for (const sample of ["u8", "s16le", "s16be", "s24le", "s24be", "s32be", "f32be", "f64le", "mulaw", "alaw"]) {
    add(`mov-${sample}.mov`, 16_000, 2, codec(`pcm_${sample}`));
  }
  add("mov-ima.mov", 22_050, 2, codec("adpcm_ima_qt"), { ...unknown, tolerance: ADPCM });
  for (const sample of ["s16le", "s24be", "f32le", "mulaw"])
    add(`mkv-${sample}.mkv`, 16_000, 2, codec(`pcm_${sample}`));
  add("mkv-msadpcm.mkv", 22_050, 2, codec("adpcm_ms"), { ...unknown, tolerance: ADPCM });

  addRefused(add, codec);
  addWithVideo(add, codec);
  addChains(cases, folder);
  addRecorders(cases, folder);
  return cases;
}

type Add = (name: string, rate: number, channels: 1 | 2, args: readonly string[], rest?: Partial<Case>) => void;
type CodecArgs = (name: string, ...more: string[]) => string[];

/** What ffmpeg reads and this package names. */
function addRefused(add: Add, codec: CodecArgs): void {
  const refused = (name: string, extension: string) => ({
    refusal: new RegExp(`got ${name}.*Convert it with: ffmpeg -i clip\\.${extension} -vn`),
  });
  add("ac3.ac3", 48_000, 2, codec("ac3"), refused("AC-3 audio", "ac3"));
  add("ac3.mp4", 48_000, 2, codec("ac3"), refused("AC-3", "mp4"));
  add("eac3.mkv", 48_000, 2, codec("eac3"), refused("E-AC-3", "mkv"));
  add("dts.dts", 48_000, 2, codec("dca"), refused("DTS audio", "dts"));
  add("wma.wma", 44_100, 2, codec("wmav2"), refused("WMA or other ASF audio", "wma"));
  add("wavpack.wv", 44_100, 2, codec("wavpack"), refused("WavPack audio", "wv"));
  add("tta.tta", 44_100, 2, codec("tta"), refused("True Audio \\(TTA\\)", "tta"));
  add("wavpack.mkv", 44_100, 2, codec("wavpack"), refused("WavPack", "mkv"));
  add("speex.spx", 16_000, 1, codec("libspeex"), refused("Ogg Speex", "spx"));
  add("aac.flv", 44_100, 2, codec("aac"), refused("FLV video", "flv"));
  add("mp3.avi", 44_100, 2, codec("libmp3lame"), refused("AVI video", "avi"));
  add("gsm.wav", 8_000, 1, codec("libgsm_ms"), refused("GSM 6.10", "wav"));
  add("g726.wav", 8_000, 1, codec("g726"), refused("G.726 ADPCM", "wav"));
  add("voc.voc", 22_050, 1, codec("pcm_u8"), refused("VOC audio", "voc"));
}

function addWithVideo(add: Add, codec: CodecArgs): void {
  const video = ["-f", "lavfi", "-i", "testsrc=s=64x64:d=1.2:r=10", "-map", "0:a", "-map", "1:v"];
  for (const [name, args] of [
    ["phone-video.mov", ["-c:v", "mpeg4"]],
    ["video.mp4", ["-c:v", "mpeg4"]],
    ["video-fragmented.mp4", ["-c:v", "mpeg4", ...FRAGMENTS]],
    ["video.mkv", ["-c:v", "mpeg4"]],
    ["video.ts", ["-c:v", "mpeg2video", "-f", "mpegts"]],
  ] as const) {
    add(name, 44_100, 2, [...video, ...args, ...codec("aac")], { tolerance: LOSSY });
  }
  add("video.ogv", 44_100, 2, [...video, "-c:v", "libtheora", ...codec("libvorbis")], { tolerance: LOSSY });
}

/** Files in a row are a chained file in Ogg. ffmpeg and libsndfile lose or add samples at the seams of some. */
function addChains(cases: Case[], folder: string): void {
  for (const [part, tolerance] of [
    ["opus.opus", OPUS],
    ["vorbis.ogg", LOSSY],
    ["flac.oga", 1e-6],
  ] as const) {
    const one = cases.find(({ name }) => name === part);
    if (one?.samples === undefined) continue;
    const bytes = readFileSync(one.path);
    const name = `chained-${part}`;
    cases.push({ name, path: join(folder, name), bytes: concat(bytes, bytes), samples: one.samples * 2, tolerance });
  }
}

/** Headers as recorders and pipes leave them. */
function addRecorders(cases: Case[], folder: string): void {
  const samples = 8_000;
  const data = new Uint8Array(
    Int16Array.from({ length: samples }, (_, i) => 12_000 * Math.sin((2 * Math.PI * 440 * i) / 16_000)).buffer,
  );
  const wav = makeWav(data);
  const patched = (...changes: readonly (readonly [offset: number, value: number])[]) => {
    const copy = wav.slice();
    for (const [offset, value] of changes) copy.set(little(4, value), offset);
    return copy;
  };
  const list = chunk("LIST", ascii("INFOISFT\u0006\u0000\u0000\u0000Lavf59"));
  const made: Readonly<Record<string, Uint8Array>> = {
    "block-align-1.wav": makeWav(data, { frameBytes: 1 }),
    "block-align-4.wav": makeWav(data, { frameBytes: 4 }),
    "block-align-0.wav": makeWav(data, { frameBytes: 0 }),
    "sizes-0.wav": patched([4, 0], [40, 0]),
    "sizes-36-0.wav": patched([4, 36], [40, 0]),
    "sizes-ffffffff.wav": patched([4, 2 ** 32 - 1], [40, 2 ** 32 - 1]),
    "sizes-7fffffff.wav": patched([40, 0x7fff_ffff]),
    "sizes-ffffffff-0.wav": patched([4, 2 ** 32 - 1], [40, 0]),
    "data-larger.wav": patched([40, 1_000_000]),
    "riff-smaller.wav": patched([4, 100]),
    "list-behind.wav": concat(wav, list),
    "junk-before.wav": makeWav(data, {
      before: [
        ["JUNK", new Uint8Array(28)],
        ["bext", new Uint8Array(603)],
      ],
    }),
    "cut-by-a-byte.wav": wav.subarray(0, wav.length - 1),
    "cut-in-half.wav": wav.subarray(0, 8_044),
    "no-padding.wav": concat(wav.subarray(0, 12), ascii("LIST"), little(4, 7), ascii("INFOabc"), wav.subarray(12)),
    "id3-before.wav": concat(ascii("ID3\u0004\u0000\u0000\u0000\u0000\u0000\u0005....."), wav),
    "extensible.wav": makeWav(data, {
      tag: 0xfffe,
      extension: concat(
        little(2, 22),
        little(2, 16),
        little(4, 4),
        little(2, 1),
        ascii("\0\0\0\0\u0010\0\u0080\0\0\u00aa\0\u0038\u009b\u0071"),
      ),
    }),
    "bits-24-in-4.wav": makeWav(data, { bits: 24, frameBytes: 4 }),
    "bits-12.wav": makeWav(data, { bits: 12, frameBytes: 2 }),
    "bits-20.wav": makeWav(data, { bits: 20, frameBytes: 3 }),
  };
  for (const [name, bytes] of Object.entries(made)) {
    const isWhole = !name.startsWith("cut") && !name.startsWith("bits");
    cases.push({ name, path: join(folder, name), bytes, ...(isWhole ? { samples } : {}) });
  }
}
