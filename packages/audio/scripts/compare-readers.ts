/**
 * Makes files of many kinds with ffmpeg, SoX and by hand, reads each with this package, with ffmpeg and with libsndfile, and
 * compares lengths and samples. Prints a Markdown table, and `N passed, N failed` at the end; says so and skips all where a
 * tool is missing. Needs ffmpeg, sox and Python with soundfile. Run with `npm run compare:readers`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeHere } from "../src/decoding/decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../src/decoder/limits.ts";
import { makeCases, type Case } from "./reader-cases.ts";

/** The mean of the channels and the rate, or why it was refused. */
type Reading = { readonly samples: Float32Array; readonly sampleRateHz: number } | { readonly refused: string };

/** All files in one process; the mean of the channels as floats beside each. */
const SOUNDFILE = `
import sys, numpy, soundfile
for path in sys.argv[1:]:
    try:
        data, rate = soundfile.read(path, dtype="float32", always_2d=True)
        data.astype("float64").mean(axis=1).astype("<f4").tofile(path + ".sndfile")
        print(rate)
    except Exception as error:
        print("refused", type(error).__name__)
`;

function missingTool(): string | null {
  for (const [command, ...args] of [
    ["ffmpeg", "-version"],
    ["sox", "--version"],
    ["python3", "-c", "import soundfile"],
  ] as const) {
    try {
      execFileSync(command, args, { stdio: "ignore" });
    } catch {
      return [command, ...args].join(" ");
    }
  }
  return null;
}

async function readOurs(path: string): Promise<Reading> {
  try {
    return await decodeHere(new Uint8Array(readFileSync(path)), DEFAULT_DECODE_LIMITS);
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

function readFfmpeg(path: string): Reading {
  try {
    const probe = [
      "-v",
      "error",
      "-select_streams",
      "a:0",
      "-show_entries",
      "stream=sample_rate,channels",
      "-of",
      "csv=p=0",
    ];
    const [rate = 0, channels = 1] = execFileSync("ffprobe", [...probe, path], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    })
      .trim()
      .split(/[,\n]/)
      .map(Number);
    const raw = execFileSync("ffmpeg", ["-v", "quiet", "-i", path, "-map", "0:a:0", "-f", "f32le", "-"], {
      maxBuffer: 2 ** 28,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return { samples: meanOf(floatsOf(raw), channels), sampleRateHz: rate };
  } catch {
    return { refused: "refused" };
  }
}

function readSndfile(paths: readonly string[]): Reading[] {
  const lines = execFileSync("python3", ["-c", SOUNDFILE, ...paths], { encoding: "utf8" })
    .trim()
    .split("\n");
  return paths.map((path, i) => {
    const rate = Number(lines[i]);
    if (Number.isNaN(rate)) return { refused: lines[i] ?? "" };
    return { samples: floatsOf(readFileSync(`${path}.sndfile`)), sampleRateHz: rate };
  });
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer, 0, bytes.length >> 2);
}

function meanOf(interleaved: Float32Array, channels: number): Float32Array {
  return Float32Array.from({ length: Math.floor(interleaved.length / channels) }, (_, i) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += interleaved[i * channels + channel] ?? 0;
    return sum / channels;
  });
}

/** Largest difference where both have samples. */
function difference(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    largest = Math.max(largest, Math.abs((a[i] ?? 0) - (b[i] ?? 0)));
  }
  return largest;
}

interface Row {
  readonly name: string;
  readonly length: string;
  readonly ffmpeg: string;
  readonly sndfile: string;
  readonly problem: string;
}

function compare(made: Case, ours: Reading, ffmpeg: Reading, sndfile: Reading): Row {
  const row = {
    name: made.name,
    length: "refused" in ours ? "refused" : String(ours.samples.length),
    ffmpeg: describe(ours, ffmpeg),
    sndfile: describe(ours, sndfile),
  };
  return { ...row, problem: problemOf(made, ours, [ffmpeg, sndfile]) };
}

function describe(ours: Reading, other: Reading): string {
  if ("refused" in other) return "refused";
  if ("refused" in ours) return `${other.samples.length}`;
  const extra = other.samples.length - ours.samples.length;
  const length = extra === 0 ? "same" : `${extra > 0 ? "+" : ""}${extra}`;
  return `${length}, ${difference(ours.samples, other.samples).toExponential(0)}`;
}

/** Empty when everything matches. */
function problemOf(made: Case, ours: Reading, others: readonly Reading[]): string {
  if ("refused" in ours) {
    return made.refusal?.test(ours.refused) === true ? "" : ours.refused;
  }
  if (made.refusal !== undefined) return "not refused";
  const read = others.flatMap((other) => ("refused" in other ? [] : [other]));
  const isLengthRight =
    ours.samples.length === made.samples || read.some(({ samples }) => samples.length === ours.samples.length);
  if (!isLengthRight) return `length (the source has ${made.samples})`;
  const differences = read.map(({ samples }) => difference(ours.samples, samples));
  if (read.some(({ sampleRateHz }) => sampleRateHz !== ours.sampleRateHz) && made.samples === undefined) return "rate";
  if (differences.length > 0 && Math.min(...differences) > (made.tolerance ?? 1e-6)) return "samples";
  return "";
}

async function main(): Promise<void> {
  const missing = missingTool();
  if (missing !== null) {
    console.log(`== SKIPPED: comparing readers: cannot run ${missing}`);
    console.log("0 passed, 0 failed, 1 skipped");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "compare-readers-"));
  try {
    const cases = makeCases(folder);
    for (const { path, bytes } of cases) if (bytes !== undefined) writeFileSync(path, bytes);
    const sndfile = readSndfile(cases.map(({ path }) => path));
    const rows: Row[] = [];
    for (const [i, made] of cases.entries()) {
      rows.push(compare(made, await readOurs(made.path), readFfmpeg(made.path), sndfile[i] ?? { refused: "" }));
    }
    report(rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(rows: readonly Row[]): void {
  console.log("| File | Samples here | ffmpeg: length, largest difference | libsndfile | |\n|---|---|---|---|---|");
  for (const { name, length, ffmpeg, sndfile, problem } of rows) {
    console.log(`| ${name} | ${length} | ${ffmpeg} | ${sndfile} | ${problem === "" ? "" : `FAILED: ${problem}`} |`);
  }
  const failed = rows.filter(({ problem }) => problem !== "").length;
  console.log(`${rows.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

await main();
