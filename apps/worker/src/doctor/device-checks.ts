import type { Device } from "@higgs-worker/ggml";
import {
  chooseLibrary,
  type ChosenLibrary,
  compileCacheVariables,
  installedLibraries,
  type Judgement,
  planLibraries,
  readGpuFacts,
} from "@higgs-worker/higgs-audio/parts";
import { cacheDirOf } from "../model/cache-dir.ts";
import { deviceOptions, loadCpuLibrary } from "../model/devices.ts";
import { formatBytes } from "../terminal/format.ts";
import { ok, type CheckContext, type CheckResult } from "./check.ts";

/** Version of the compute library that all golden cases are run with. */
const TESTED_GGML = "0.25";

/** Driver and cards, as they are known without loading a library of theirs. */
export async function checkDriver({ config }: CheckContext): Promise<CheckResult> {
  const { driver, cards } = await readGpuFacts();
  if (driver !== null) {
    const names = cards.map(({ name, computeCapability }) => `${name} (compute capability ${computeCapability})`);
    return ok(`NVIDIA driver ${driver}, ${names.join(", ") || "cards unknown: nvidia-smi is missing"}`);
  }
  const detail = "no NVIDIA driver on this machine";
  if (config.device !== "cuda") return { status: "skipped", detail, fix: null };
  return { status: "failed", detail, fix: "Run on a machine with an NVIDIA GPU, or set HIGGS_DEVICE=cpu" };
}

/** Which libraries are installed, what driver and card let expect of each, and where compiled kernels are kept. */
export async function checkLibrary(context: CheckContext): Promise<CheckResult> {
  const { config, logger } = context;
  const ggml = loadCpuLibrary(config, logger);
  const own = judgeVersion(ggml.version, ggml.files.directory);
  const cpuFile = ggml.cpuBackendFile();
  const facts = await readGpuFacts();
  const installed = installedLibraries(config.ggmlDir ?? undefined);
  const plan = planLibraries({ device: config.device, installed, facts, allowCpu: false });
  const cpu = cpuFile === null ? [] : [`CPU backend ${cpuFile}`];
  return { ...own, detail: [own.detail, ...cpu, ...describePlan(plan, keptIn(context))].join("; ") };
}

/** A library of another version may have every function and still compute different results. */
export function judgeVersion(version: string, directory: string): CheckResult {
  const detail = `ggml ${version} in ${directory}`;
  if (version.startsWith(`${TESTED_GGML}.`)) return ok(detail);
  return {
    status: "warning",
    detail: `${detail}, but this build is tested with ${TESTED_GGML}`,
    fix: "Use that version, or run `higgs verify-golden` to check that this one computes the same results",
  };
}

/** One sentence a library, in the order in which they are tried. */
export function describePlan(plan: readonly Judgement[], keptIn: { cuda: string; vulkan: string }): string[] {
  return plan.map(({ library, fit, reason }) => {
    if (library === "cpu") return "cpu: runs everywhere";
    const words = { fits: "fits", compiles: "fits", unknown: "to be tried", unfit: "does not fit" }[fit];
    const isCompiled = fit === "compiles" || library === "vulkan";
    const folder = library === "vulkan" ? keptIn.vulkan : keptIn.cuda;
    const compiled = isCompiled ? `; kernels are compiled at the first start and kept in ${folder}` : "";
    return `${library} ${words}: ${reason}${compiled}`;
  });
}

/** The folders as the worker's engine has them. */
function keptIn({ config, env }: CheckContext): { cuda: string; vulkan: string } {
  const variables = { ...env, ...compileCacheVariables(env, cacheDirOf(config)) };
  return {
    cuda: variables["CUDA_CACHE_PATH"] ?? "",
    vulkan: variables["__GL_SHADER_DISK_CACHE_PATH"] ?? "",
  };
}

/** Tries the libraries as a start of the worker does. */
export async function checkDevice(context: CheckContext): Promise<CheckResult> {
  const { config, logger, env, signal } = context;
  const warnings: string[] = [];
  const chosen = await chooseLibrary({
    ...deviceOptions(config, logger),
    allowCpu: true,
    environment: { ...env, ...compileCacheVariables(env, cacheDirOf(config)) },
    signal,
    onNotice: (level, message) => level === "warn" && warnings.push(message),
  });
  const tried = chosen.tried ?? cpuOf(context);
  // The last one sums the others up when nothing but the CPU is left.
  const told = chosen.device === "cpu" ? warnings.slice(-1) : warnings;
  const detail = [describeChoice(chosen, tried), ...told].join("; ");
  if (chosen.device !== "cpu" || config.device !== "auto") return ok(detail);
  return { status: "warning", detail, fix: "For a worker in production set HIGGS_DEVICE=cpu, or give it a GPU" };
}

function describeChoice({ device, flavor }: ChosenLibrary, tried: Device | undefined): string {
  if (tried === undefined) return device;
  const { name, description, memoryFreeBytes, memoryTotalBytes } = tried;
  const memory = `${formatBytes(memoryFreeBytes)} free of ${formatBytes(memoryTotalBytes)}`;
  return `*${name} (${description}, ${memory})${device === "cpu" ? "" : `, with ${flavor}, multiplies correctly`}`;
}

function cpuOf({ config, logger }: CheckContext): Device | undefined {
  return loadCpuLibrary(config, logger)
    .devices()
    .find(({ kind }) => kind === "cpu");
}
