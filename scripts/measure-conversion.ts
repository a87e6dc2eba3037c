/**
 * Measures the peak memory of converting a checkpoint of the released size: three sparse shards of 11.5 GB in all, written to a
 * temporary folder, through `higgs models convert`. Fails above the size of the largest shard plus 1 GB. Needs about 7 GB of
 * disk for q8_0. `npm run measure:conversion -- q8_0`
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RELEASED_HIGGS_CONFIG } from "../packages/higgs-audio/src/checkpoint/released-config.ts";
import { listLmManifest } from "../packages/higgs-audio/src/checkpoint/testing/released-manifests.ts";
import {
  writeShards,
  writeSparseSafetensors,
} from "../packages/higgs-audio/src/checkpoint/testing/safetensors-writer.ts";
import { encodeHiggsConfig } from "../packages/higgs-audio/src/checkpoint/testing/test-checkpoint.ts";

const GB = 1e9;
const SAMPLE_MS = 50;
const program = join(import.meta.dirname, "..", "apps", "worker", "bin", "higgs.js");
const format = process.argv[2] ?? "q8_0";

if (process.platform !== "linux") {
  console.log("SKIPPED: peak memory is read from /proc, which only Linux has");
  process.exit(0);
}

/** The largest resident size that the process has had so far, as the kernel counts it. */
function peakBytes(pid: number): number {
  const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) * 1024;
}

async function convert(folder: string, cache: string): Promise<{ peak: number; seconds: number }> {
  const startMs = performance.now();
  const args = [program, "models", "convert", folder, "--weights", format, "--cache-dir", cache];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  let peak = 0;
  const timer = setInterval(() => {
    try {
      if (child.pid !== undefined) peak = Math.max(peak, peakBytes(child.pid));
    } catch {
      // It has just ended.
    }
  }, SAMPLE_MS);
  const code = await new Promise<number | null>((resolve) => child.on("exit", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`Cannot measure: the conversion ended with ${code}`);
  return { peak, seconds: (performance.now() - startMs) / 1000 };
}

const folder = mkdtempSync(join(tmpdir(), "higgs-conversion-"));
try {
  writeFileSync(join(folder, "config.json"), JSON.stringify(encodeHiggsConfig(RELEASED_HIGGS_CONFIG, "boson")));
  const tensors = [...listLmManifest(RELEASED_HIGGS_CONFIG, "boson")].map(([name, shape]) => ({
    name,
    dtype: "BF16" as const,
    shape,
  }));
  const size = Math.ceil(tensors.length / 3);
  const thirds = [0, 1, 2].map((index) => tensors.slice(index * size, (index + 1) * size));
  writeShards(folder, thirds, writeSparseSafetensors);
  const shards = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
  const largest = Math.max(...shards.map((name) => statSync(join(folder, name)).size));
  const { peak, seconds } = await convert(folder, join(folder, "cache"));
  const limit = largest + GB;
  console.log(
    `${format}: peak ${(peak / GB).toFixed(3)} GB in ${seconds.toFixed(0)} s; limit ${(limit / GB).toFixed(2)} GB ` +
      `(largest shard ${(largest / GB).toFixed(2)} GB + 1 GB)`,
  );
  if (peak > limit) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
