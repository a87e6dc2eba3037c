/**
 * Compares the decode step with a bare ggml program of the same shapes, alternating in the same run, so that a machine whose speed
 * drifts is fair to both. Fails above 1.10 times the probe. `npm run bench:probe -- PROBE.mjs [q8_0|q4_k …]`; skipped
 * without a probe.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { findLibrary } from "@higgs-worker/ggml";

const LIMIT = 1.1;
const ROUNDS = 3;
/** The probe's names of the formats. */
const PROBE_FORMATS: Readonly<Record<string, string>> = { q8_0: "q8", q4_k: "q4k", bf16: "bf16" };

const root = join(import.meta.dirname, "..");
const [path = "", ...formats] = process.argv.slice(2);
const probe = resolve(path);
const program = join(root, "apps", "worker", "bin", "higgs.js");

if (path === "" || !existsSync(probe)) {
  console.log(`SKIPPED: no probe to compare with (${path === "" ? "none was named" : `looked for ${probe}`})`);
  process.exit(0);
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    cwd: root,
    env: { ...process.env, ...env },
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`Cannot measure: ${args.join(" ")} failed with ${stderr}`);
  return stdout;
}

/** Median step of the probe in ms. It finds this repository's koffi from any folder. */
function probeMs(format: string): number {
  const { directory, registry } = findLibrary();
  const source = `import(${JSON.stringify(pathToFileURL(probe).href)})`;
  const loader = join(root, "scripts", "resolve-from-here.mjs");
  const output = run(["--import", loader, "--input-type=module", "-e", source], {
    GGML_DIR: directory,
    GGML_REG: registry.slice(directory.length + 1),
    WT: PROBE_FORMATS[format] ?? format,
    N: "20",
  });
  return Number(/step ms median ([\d.]+)/.exec(output)?.[1]);
}

function oursMs(format: string): number {
  const output = run([program, "bench", "--random", "full", "--weights", format, "--only", "decode"], {});
  const report = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as { rows: { name: string; value: number }[] };
  return report.rows.find(({ name }) => name.startsWith("decode step"))?.value ?? Number.NaN;
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

for (const format of formats.length === 0 ? ["q8_0", "q4_k"] : formats) {
  const pairs = Array.from({ length: ROUNDS }, () => ({ probe: probeMs(format), ours: oursMs(format) }));
  const ratio = middle(pairs.map((pair) => pair.ours / pair.probe));
  const list = pairs.map((pair) => `${pair.ours.toFixed(1)} / ${pair.probe.toFixed(1)} ms`).join(", ");
  console.log(`decode step, ${format}: ${ratio.toFixed(3)} × the probe, median of ${ROUNDS} (${list}; limit ${LIMIT})`);
  if (!(ratio <= LIMIT)) process.exitCode = 1;
}
