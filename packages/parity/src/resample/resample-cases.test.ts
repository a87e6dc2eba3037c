import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encoderFor, resample } from "@higgs-worker/audio";
import { describe, expect, it } from "vitest";
import { runGoldenCase } from "../frame/outcome.ts";
import { scratchFolder } from "../frame/testing/scratch-folder.ts";
import { collectResampleCases } from "./resample-cases.ts";

const RATE_HZ = 32_000;

/** A tone in whole 16-bit steps, so that the WAV file holds it exactly. */
const pcm = Float32Array.from({ length: 3_200 }, (_, i) => Math.round(9_000 * Math.sin(i / 5)) / 2 ** 15);

function safetensors(tensors: Readonly<Record<string, Float32Array>>): Buffer {
  let offset = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, values]) => {
      const begin = offset;
      offset += values.byteLength;
      return [name, { dtype: "F32", shape: [values.length], data_offsets: [begin, offset] }];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, ...Object.values(tensors).map((values) => Buffer.from(values.buffer))]);
}

async function goldenSet(mono: Float32Array, at24k: Float32Array, rate = RATE_HZ): Promise<string> {
  const directory = scratchFolder();
  const folder = join(directory, "resample");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "a.wav"), await encoderFor("wav").encode(pcm, { sampleRateHz: RATE_HZ }));
  writeFileSync(join(folder, "files.json"), JSON.stringify({ files: [{ file: "a.wav", rate, channels: 1 }] }));
  writeFileSync(join(folder, "expected.safetensors"), safetensors({ "a.mono": mono, "a.24k": at24k }));
  return directory;
}

async function statuses(directory: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const golden of collectResampleCases(directory)) {
    lines.push(`${golden.name} ${(await runGoldenCase(golden)).status}`);
  }
  return lines;
}

describe("collectResampleCases()", () => {
  const good = resample(pcm, RATE_HZ, 24_000);

  it("passes what is equal", async () => {
    expect(await statuses(await goldenSet(pcm, good))).toEqual(["a.wav.mono passed", "a.wav.24k passed"]);
  });

  it.each<[string, Float32Array, Float32Array, number]>([
    ["a sample off by 3e-7", pcm.with(9, (pcm[9] ?? 0) + 3e-7), good.map((x) => x * 1.021), RATE_HZ],
    ["another length", pcm.subarray(1), good.subarray(1), RATE_HZ],
    ["NaN, and another rate", pcm, good.with(5, Number.NaN), 16_000],
  ])("fails %s", async (_name, mono, at24k, rate) => {
    expect(await statuses(await goldenSet(mono.slice(), at24k.slice(), rate))).toEqual([
      "a.wav.mono failed",
      "a.wav.24k failed",
    ]);
  });

  it("fails where the files are missing", async () => {
    expect(await statuses(scratchFolder())).toEqual(["resample/files.json failed"]);
  });
});
