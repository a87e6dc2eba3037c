/**
 * Reads what the encoders write with other people's programs: each format by ffmpeg and by a second one (flac, mpg123, opusdec, sox),
 * whole files and live streams. `npm run check:formats`. Programs that are missing are installed where apt-get can be used, and
 * otherwise skipped, loudly.
 */
import { AUDIO_FORMATS, encoderFor, openOutputStream, resample, type AudioFormat } from "@higgs-worker/audio";
import { installTools, run, samplesOf, withFile } from "./formats/tools.ts";

const SPEECH_RATE_HZ = 24_000;
const LENGTHS = [1_200, 60_077];
const TAGS = { title: "AI-generated speech", encoder: "check-formats" };
/** Encoder and decoder of an MP3 stream, of which nobody told its reader. */
const MP3_DELAY = 1_105;
const MP3_MAX_PADDING = 3_000;

/** Least signal to noise for a few tones, in dB. */
const LEAST_LIKENESS: Readonly<Record<AudioFormat, number>> = {
  wav: 75,
  pcm: 75,
  flac: 75,
  mp3: 20,
  opus: 15,
  ulaw: 30,
  alaw: 30,
};

let passed = 0;
let failed = 0;
let skipped = 0;
const missing = installTools();

function check(name: string, tools: readonly string[], body: () => void): void {
  const absent = tools.filter((tool) => missing.includes(tool));
  if (absent.length > 0) {
    console.log(`SKIPPED ${name}: ${absent.join(", ")} is not installed`);
    skipped += 1;
    return;
  }
  try {
    body();
    passed += 1;
  } catch (error) {
    console.log(`failed ${name}: ${error instanceof Error ? error.message : String(error)}`);
    failed += 1;
  }
}

function must(isTrue: boolean, why: string): void {
  if (!isTrue) throw new Error(why);
}

/** Tones below 3 kHz, which all sample rates have, that swell and fade. */
function sound(sampleCount: number): Float32Array {
  return Float32Array.from({ length: sampleCount }, (_, i) => {
    const time = i / SPEECH_RATE_HZ;
    const loud = 0.6 + 0.4 * Math.sin(2 * Math.PI * 3 * time);
    const tones = [220, 450, 900, 1_800].map((hertz) => Math.sin(2 * Math.PI * hertz * time + hertz));
    return 0.15 * loud * tones.reduce((sum, tone) => sum + tone, 0);
  });
}

async function encoded(
  pcm: Float32Array,
  format: AudioFormat,
  sampleRateHz: number,
  purpose: "file" | "live",
  change: { readonly speed?: number; readonly loudnessLufs?: number; readonly chapterTitles?: readonly string[] } = {},
  chapterSeconds: readonly number[] = [],
): Promise<{ readonly bytes: Buffer; readonly sampleCount: number }> {
  const wanted = { format, inputRateHz: SPEECH_RATE_HZ, sampleRateHz, purpose, tags: TAGS, ...change };
  const stream = await openOutputStream(wanted);
  const parts: Uint8Array[] = [];
  for (let start = 0; start < pcm.length; start += 3_333)
    parts.push(await stream.write(pcm.subarray(start, start + 3_333)));
  const { tail, head, sampleCount } = await stream.end(chapterSeconds);
  const bytes = Buffer.concat([...parts, tail]);
  if (head !== null) bytes.set(head);
  return { bytes, sampleCount };
}

const RAW_FFMPEG: Partial<Record<AudioFormat, string>> = { pcm: "s16le", ulaw: "mulaw", alaw: "alaw" };

function byFfmpeg(path: string, format: AudioFormat, rate: number): Float32Array {
  const raw = RAW_FFMPEG[format];
  const input = raw === undefined ? [] : ["-f", raw, "-ar", String(rate), "-ac", "1"];
  return samplesOf(run("ffmpeg", ["-v", "error", ...input, "-i", path, "-f", "s16le", "-ac", "1", "-"]).bytes);
}

type Reader = (path: string, rate: number) => Float32Array;
const bySox =
  (...input: string[]): Reader =>
  (path) =>
    samplesOf(run("sox", ["-V1", "-D", ...input, path, "-t", "raw", "-e", "signed", "-b", "16", "-"]).bytes);
const rawSox =
  (...input: string[]): Reader =>
  (path, rate) =>
    bySox(...input, "-r", String(rate), "-c", "1")(path, rate);

const SECOND: Readonly<Record<AudioFormat, { readonly tool: string; readonly read: Reader }>> = {
  wav: { tool: "sox", read: bySox() },
  pcm: { tool: "sox", read: rawSox("-t", "raw", "-e", "signed", "-b", "16") },
  ulaw: { tool: "sox", read: rawSox("-t", "ul") },
  alaw: { tool: "sox", read: rawSox("-t", "al") },
  flac: {
    tool: "flac",
    read: (path) =>
      samplesOf(run("flac", ["-d", "-s", "-c", "--force-raw-format", "--endian=little", "--sign=signed", path]).bytes),
  },
  mp3: { tool: "mpg123", read: (path) => samplesOf(run("mpg123", ["-q", "-s", path]).bytes) },
  opus: {
    tool: "opusdec",
    read: (path) =>
      samplesOf(run("opusdec", ["--quiet", "--rate", "48000", "--force-wav", path, "-"]).bytes.subarray(44)),
  },
};

/** Signal to noise of `decoded` from `late` samples on, in dB. */
function likeness(expected: Float32Array, decoded: Float32Array, late: number): number {
  let [signal, rest] = [0, 0];
  for (const [i, sample] of expected.entries()) {
    signal += sample ** 2;
    rest += (sample - (decoded[i + late] ?? 0)) ** 2;
  }
  return 10 * Math.log10(signal / (rest + 1e-12));
}

function judge(format: AudioFormat, purpose: "file" | "live", expected: Float32Array, decoded: Float32Array): void {
  const isDelayed = format === "mp3" && purpose === "live";
  const extra = decoded.length - expected.length;
  must(
    isDelayed ? extra >= 0 && extra <= MP3_MAX_PADDING : extra === 0,
    `got ${decoded.length} samples instead of ${expected.length}`,
  );
  const decibels = likeness(expected, decoded, isDelayed ? MP3_DELAY : 0);
  const least = LEAST_LIKENESS[format];
  must(decibels >= least, `the sound is another one (${decibels.toFixed(1)} dB of signal to noise, at least ${least})`);
}

for (const format of AUDIO_FORMATS) {
  for (const rate of encoderFor(format).sampleRatesHz) {
    for (const length of LENGTHS) {
      // An MP3 of two frames is not recognized by everybody, and Opus needs some packets to be like anything.
      if (length < 5_000 && (format === "mp3" || format === "opus")) continue;
      const pcm = sound(length);
      for (const purpose of ["file", "live"] as const) {
        const { bytes, sampleCount } = await encoded(pcm, format, rate, purpose);
        const decodedRate = format === "opus" ? 48_000 : rate;
        const atRate = resample(pcm, SPEECH_RATE_HZ, rate).subarray(0, sampleCount);
        const expected = resample(atRate, rate, decodedRate);
        const name = `${format} at ${rate} Hz, ${length} samples, ${purpose}`;
        withFile(`a.${encoderFor(format).fileExtension}`, bytes, (path) => {
          check(`${name}, by ffmpeg`, ["ffmpeg"], () => judge(format, purpose, expected, byFfmpeg(path, format, rate)));
          const { tool, read } = SECOND[format];
          check(`${name}, by ${tool}`, [tool], () => judge(format, purpose, expected, read(path, rate)));
        });
      }
    }
  }
}

const speech = sound(3 * SPEECH_RATE_HZ);

for (const format of ["mp3", "flac", "opus"] as const) {
  const { bytes } = await encoded(speech, format, SPEECH_RATE_HZ, "file");
  withFile(`a.${format}`, bytes, (path) => {
    check(`the tags of ${format}`, ["ffprobe"], () => {
      const shown = run("ffprobe", ["-v", "error", "-show_format", "-show_streams", path])
        .bytes.toString()
        .toLowerCase();
      for (const text of Object.values(TAGS)) must(shown.includes(text.toLowerCase()), `does not show “${text}”`);
    });
  });
}

const CHAPTERS = [
  [0, "One"],
  [1.25, "Zwei – größer"],
  [2.5, "三"],
] as const;

for (const format of ["wav", "mp3", "flac", "opus"] as const) {
  const chapterTitles = CHAPTERS.map(([, title]) => title);
  const starts = CHAPTERS.map(([seconds]) => seconds);
  const { bytes } = await encoded(speech, format, SPEECH_RATE_HZ, "file", { chapterTitles }, starts);
  withFile(`a.${format}`, bytes, (path) => {
    check(`the chapters of ${format}`, ["ffprobe"], () => {
      const shown = run("ffprobe", ["-v", "error", "-show_chapters", "-of", "json", path]).bytes.toString();
      const { chapters } = JSON.parse(shown) as { chapters: { start_time: string; tags: { title: string } }[] };
      const read = chapters.map(({ start_time, tags }) => [Number(start_time), tags.title]);
      must(JSON.stringify(read) === JSON.stringify(CHAPTERS), `shows ${JSON.stringify(read)}`);
    });
  });
}

const { bytes: flacFile } = await encoded(speech, "flac", SPEECH_RATE_HZ, "file");
withFile("a.flac", flacFile, (path) =>
  check("the checksum of flac", ["flac"], () => {
    const { text } = run("flac", ["-t", "-w", path]);
    must(/ok/.test(text), text);
  }),
);

for (const target of [-30, -23, -16]) {
  const { bytes } = await encoded(speech, "wav", SPEECH_RATE_HZ, "file", { loudnessLufs: target });
  withFile("a.wav", bytes, (path) =>
    check(`a loudness of ${target} LUFS`, ["ffmpeg"], () => {
      const { text } = run("ffmpeg", ["-hide_banner", "-i", path, "-filter:a", "ebur128", "-f", "null", "-"]);
      const measured = Number(/I:\s+(-?[\d.]+) LUFS\s+Threshold/.exec(text)?.[1]);
      must(Math.abs(measured - target) <= 0.2, `ffmpeg measures ${measured} LUFS`);
    }),
  );
}

for (const speed of [0.25, 0.8, 1.5, 4]) {
  const { bytes } = await encoded(speech, "mp3", SPEECH_RATE_HZ, "file", { speed });
  withFile("a.mp3", bytes, (path) =>
    check(`the length of speech at speed ${speed}`, ["ffmpeg"], () => {
      const samples = byFfmpeg(path, "mp3", SPEECH_RATE_HZ).length;
      must(samples === Math.round(speech.length / speed), `got ${samples} samples`);
    }),
  );
}

console.log(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
process.exitCode = failed === 0 ? 0 : 1;
