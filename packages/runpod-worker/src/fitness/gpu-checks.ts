import { execFile } from "node:child_process";
import type { Logger } from "../logging/logger.ts";
import type { FitnessCheck } from "./fitness-checks.ts";
import type { FitnessKnobs } from "./knobs.ts";

/** Runs a program and gives what it printed; `undefined` when it cannot be started. Tests pass their own. */
export type RunProgram = (
  file: string,
  args: readonly string[],
  timeoutMs: number,
) => Promise<{ readonly exitCode: number; readonly output: string } | undefined>;

const DETECTION_TIMEOUT_MS = 5_000;
const LIST_TIMEOUT_MS = 10_000;

/**
 * The automatic checks of a machine with an NVIDIA GPU: GPU present and healthy, CUDA version. The official SDK's
 * allocation and matrix checks need torch or CuPy and are skipped without them, as here.
 */
export async function gpuChecks(
  knobs: FitnessKnobs,
  log: Logger,
  run: RunProgram = runProgram,
): Promise<readonly FitnessCheck[]> {
  const hasGpu = (await run("nvidia-smi", [], DETECTION_TIMEOUT_MS))?.output.includes("NVIDIA-SMI") === true;
  if (!hasGpu) {
    log.debug("No GPU detected, skipping GPU fitness checks.");
    return [];
  }
  const health = { name: "_gpu_health_check", check: () => checkGpuHealth(knobs, log, run) };
  const version = { name: "_cuda_version_check", check: () => checkCudaVersion(knobs.minCudaVersion, log, run) };
  return [...(knobs.isGpuCheckSkipped ? [] : [health]), ...(knobs.areSystemChecksSkipped ? [] : [version])];
}

async function checkGpuHealth(knobs: FitnessKnobs, log: Logger, run: RunProgram): Promise<void> {
  const { gpuTestPath, gpuTestTimeoutMs, gpuMaxErrorMessages } = knobs;
  const tested = gpuTestPath === undefined ? undefined : await run(gpuTestPath, [], gpuTestTimeoutMs);
  if (tested !== undefined) {
    const problems = problemsInGpuTest(tested.output);
    if (problems.length === 0) return log.info("GPU binary test passed.");
    log.warn(`GPU binary check failed: ${problems.slice(0, gpuMaxErrorMessages).join("; ")}`);
  }
  // As in the official SDK, a driver that lists its GPUs overrules a failed test program.
  const listed = await run("nvidia-smi", ["--list-gpus"], LIST_TIMEOUT_MS);
  const gpus = listed?.output.split("\n").filter((line) => line.trim() !== "") ?? [];
  if (listed === undefined || listed.exitCode !== 0 || gpus.length === 0) {
    throw new Error("GPU health check failed: nvidia-smi --list-gpus shows no GPU");
  }
  log.info(`GPU fallback check passed: ${gpus.length} GPU(s) detected (memory allocation not tested)`);
  return undefined;
}

/** Problems reported by a GPU test program; empty when every GPU that it found passed. */
export function problemsInGpuTest(output: string): readonly string[] {
  const lines = output.split("\n").map((line) => line.trim());
  const complaints = lines.filter((line) => /failed|error|cannot|unable/i.test(line));
  const passed = lines.filter((line) => /memory allocation test passed/i.test(line)).length;
  const found = Number(/^Found (\d+) GPUs/m.exec(output)?.[1] ?? Number.NaN);
  if (complaints.length > 0) return complaints;
  return passed > 0 && passed === found ? [] : [`${passed} of ${Number.isNaN(found) ? "?" : found} GPUs passed`];
}

async function checkCudaVersion(minimum: string, log: Logger, run: RunProgram): Promise<void> {
  const compiler = await run("nvcc", ["--version"], DETECTION_TIMEOUT_MS);
  const driver = await run("nvidia-smi", [], DETECTION_TIMEOUT_MS);
  const found =
    /release (\d+\.\d+)/.exec(compiler?.output ?? "")?.[1] ??
    /CUDA Version:\s*(\d+\.\d+)/.exec(driver?.output ?? "")?.[1];
  if (found === undefined) return log.warn("Could not determine the CUDA version, check skipped.");
  if (compareVersions(found, minimum) < 0) {
    throw new Error(`CUDA version ${found} is too old, ${minimum} required`);
  }
  log.info(`CUDA version check passed: ${found} (minimum: ${minimum})`);
  return undefined;
}

function compareVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split(".").map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split(".").map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}

const runProgram: RunProgram = (file, args, timeoutMs) =>
  new Promise((resolve) => {
    execFile(file, [...args], { timeout: timeoutMs, encoding: "utf8" }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") resolve(undefined);
      else resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, output: `${stdout}\n${stderr}` });
    });
  });
