import type { Logger } from "../logging/logger.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Limits of the automatic checks, as the environment sets them (spec platform §1.4). */
export interface FitnessKnobs {
  readonly minMemoryGb: number;
  readonly minDiskPercent: number;
  readonly minCudaVersion: string;
  readonly networkTimeoutMs: number;
  readonly gpuTestTimeoutMs: number;
  readonly gpuMaxErrorMessages: number;
  /** Native test program; absent = `nvidia-smi` is used. */
  readonly gpuTestPath: string | undefined;
  readonly areSystemChecksSkipped: boolean;
  readonly isGpuCheckSkipped: boolean;
}

export function readFitnessKnobs(env: Environment, log: Logger): FitnessKnobs {
  function number(name: string, fallback: number): number {
    const text = env[name];
    if (text === undefined || text === "") return fallback;
    const value = Number(text);
    if (Number.isFinite(value) && value >= 0) return value;
    log.warn(`${name} is not a number, using ${fallback}.`);
    return fallback;
  }
  return {
    minMemoryGb: number("RUNPOD_MIN_MEMORY_GB", 4),
    minDiskPercent: number("RUNPOD_MIN_DISK_PERCENT", 10),
    minCudaVersion: env["RUNPOD_MIN_CUDA_VERSION"] || "11.8",
    networkTimeoutMs: number("RUNPOD_NETWORK_CHECK_TIMEOUT", 5) * 1000,
    gpuTestTimeoutMs: number("RUNPOD_GPU_TEST_TIMEOUT", 30) * 1000,
    gpuMaxErrorMessages: number("RUNPOD_GPU_MAX_ERROR_MESSAGES", 10),
    gpuTestPath: env["RUNPOD_BINARY_GPU_TEST_PATH"] || undefined,
    areSystemChecksSkipped: isTrue(env["RUNPOD_SKIP_AUTO_SYSTEM_CHECKS"]),
    isGpuCheckSkipped: isTrue(env["RUNPOD_SKIP_GPU_CHECK"]),
  };
}

function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === "true";
}
