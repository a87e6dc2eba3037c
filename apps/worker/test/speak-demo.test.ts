import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../src/program.ts";
import { fakeIo } from "../src/testing/fake-io.ts";
import { scratchDir } from "../src/testing/scratch.ts";

/** The whole way with the real engine: command line, demo checkpoint, ggml, codec, file. */

const DEMO = join(import.meta.dirname, "../../../demo-checkpoint/checkpoint");

async function run(argv: readonly string[], workingDirectory = scratchDir()) {
  const io = fakeIo({
    env: { HIGGS_VOLUME_DIR: "/nowhere", HOME: "/dev/null/nowhere", HIGGS_DEVICE: "cpu" },
    workingDirectory,
  });
  const code = await runProgram(argv, io);
  return { code, out: io.out(), err: io.err(), files: readdirSync(workingDirectory), dir: workingDirectory };
}

const speak = (text: string, ...flags: string[]) => ["speak", text, "--temperature", "0.3", ...flags];

function pcmOf(path: string): Int16Array {
  const file = readFileSync(path);
  return new Int16Array(file.buffer.slice(file.byteOffset + 44, file.byteOffset + file.byteLength));
}

describe("higgs speak with the demo checkpoint", () => {
  it("says a sentence: of a likely length, neither silent nor clipped", async () => {
    const { code, dir, err } = await run(
      speak("The sun is warm and the sky is blue.", "--seed", "1", "--out", "a.wav"),
    );
    expect(err).toContain("seed 1");
    expect(code).toBe(0);
    const pcm = pcmOf(join(dir, "a.wav"));
    expect(pcm.length / 24_000).toBeGreaterThan(1);
    expect(pcm.length / 24_000).toBeLessThan(5);
    // Trimmed to blocks of 10 ms.
    expect(pcm.length % 240).toBe(0);
    const peak = pcm.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
    expect(peak).toBeGreaterThan(2_000);
    expect(peak).toBeLessThan(32_767);
  });

  it("one seed gives one audio, another seed another", async () => {
    const dir = scratchDir();
    for (const [name, seed] of [
      ["a", "5"],
      ["b", "5"],
      ["c", "6"],
    ]) {
      await run(speak("She gave me a book.", "--seed", seed ?? "", "--out", `${name}.wav`), dir);
    }
    const [a, b, c] = ["a", "b", "c"].map((name) => readFileSync(join(dir, `${name}.wav`)));
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
  });

  it("chunks are spoken one after the other, the first as if it were alone", async () => {
    const framesOf = async (text: string, ...flags: string[]) => {
      const { out } = await run(speak(text, "--seed", "2", "--no-trim", "--json", ...flags));
      const { output } = JSON.parse(out) as { output: { duration_seconds: number; usage: { audio_frames: number } } };
      expect(output.duration_seconds).toBeCloseTo(output.usage.audio_frames / 25, 5);
      return output.usage.audio_frames;
    };
    const first = await framesOf("The sun is warm.");
    const both = await framesOf(
      "The sun is warm. The sky is blue.",
      "--chunk-method",
      "word",
      "--chunk-max-word-num",
      "4",
    );
    // Half a second at least is the second chunk, which the limit does not cut off.
    expect(both - first).toBeGreaterThan(12);
    expect(both - first).toBeLessThan(200);
  });

  it("a report with empty turns is as long as its one sentence, and says what was left out", async () => {
    const report = "[SPEAKER0]\n[SPEAKER1] The sun is warm.\n[SPEAKER0]   \n[SPEAKER1]";
    for (const method of ["none", "speaker", "word"]) {
      const { out } = await run(speak(report, "--seed", "1", "--chunk-method", method, "--json"));
      const { output } = JSON.parse(out) as { output: { duration_seconds: number; warnings: string[] } };
      expect(output.duration_seconds).toBeLessThan(5);
      expect(output.warnings).toEqual([expect.stringContaining("Nothing to speak in 3 of 4 turns")]);
    }
  });
});

describe("a corrupt model", () => {
  it.each<[string, (dir: string) => void]>([
    ["weights cut short", (dir) => truncateSync(join(dir, "model.safetensors"), 1_000_000)],
    ["codec weights cut short", (dir) => truncateSync(join(dir, "codec/model.safetensors"), 1_000)],
    ["a configuration that is not JSON", (dir) => writeFileSync(join(dir, "config.json"), "{")],
    ["a tokenizer that is not JSON", (dir) => writeFileSync(join(dir, "tokenizer.json"), "[")],
  ])("%s: one clear error, exit code 1, no file", async (_name, spoil) => {
    const model = join(scratchDir(), "model");
    cpSync(DEMO, model, { recursive: true });
    spoil(model);
    const { code, err, files } = await run(speak("Hi.", "--model", model, "--out", "a.wav"));
    expect(code).toBe(1);
    expect(err).toMatch(/^MODEL_CORRUPT: Cannot /m);
    expect(err.match(/^[A-Z_]+: Cannot /gm)).toHaveLength(1);
    expect(files).toEqual([]);
  });
});
