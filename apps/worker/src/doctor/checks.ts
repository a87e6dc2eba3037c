import { existsSync, readFileSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { join } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import { chooseDevice } from "@higgs-worker/higgs-audio/parts";
import type { Config } from "../config/settings.ts";
import { cacheDirOf } from "../model/cache-dir.ts";
import { loadLibrary } from "../model/devices.ts";
import { findModel } from "../model/locations.ts";
import { openAnyCheckpoint } from "../model/open-any-checkpoint.ts";
import { findWriteProblem } from "../storage/file-store.ts";
import { formatBytes } from "../terminal/format.ts";
import { ok, type CheckContext, type CheckResult, type DoctorCheck } from "./check.ts";
import { checkClock, checkS3Write } from "./s3-checks.ts";

/** In dependency order. */
export const DOCTOR_CHECKS: readonly DoctorCheck[] = [
  { name: "node", check: checkNode },
  { name: "driver", check: checkDriver },
  { name: "library", check: checkLibrary },
  { name: "device", check: checkDevice },
  { name: "volume", check: checkVolume },
  { name: "model", check: checkModel },
  { name: "memory", check: checkMemory },
  { name: "cache", check: checkCache },
  { name: "s3", check: checkS3Write },
  { name: "clock", check: checkClock },
];

const OLDEST_NODE = [20, 19] as const;
/** Version of the compute library that all golden cases are run with. */
const TESTED_GGML = "0.25";
const NVIDIA_VERSION_FILE = "/proc/driver/nvidia/version";
/** The compute library is built for CUDA 13, which this driver was the first to support. */
const OLDEST_NVIDIA_DRIVER = 580;

async function checkNode(): Promise<CheckResult> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  if (!isOld) return ok(`${process.version} on ${process.platform}-${process.arch}`);
  return {
    status: "failed",
    detail: `${process.version} is too old`,
    fix: `Install Node ${OLDEST_NODE.join(".")} or newer`,
  };
}

async function checkDriver({ config }: CheckContext): Promise<CheckResult> {
  const version = nvidiaDriverVersion();
  if (version === null) {
    if (config.device !== "cuda") return { status: "skipped", detail: "no NVIDIA driver on this machine", fix: null };
    return {
      status: "failed",
      detail: "no NVIDIA driver on this machine",
      fix: "Run on a machine with an NVIDIA GPU, or set HIGGS_DEVICE=cpu",
    };
  }
  if (Number.parseInt(version, 10) >= OLDEST_NVIDIA_DRIVER) return ok(`NVIDIA driver ${version}`);
  return {
    status: config.device === "cuda" ? "failed" : "warning",
    detail: `NVIDIA driver ${version} is too old for CUDA 13`,
    fix: `Choose a machine with driver ${OLDEST_NVIDIA_DRIVER} or newer (CUDA 13.0 in the endpoint's CUDA versions)`,
  };
}

function nvidiaDriverVersion(): string | null {
  if (!existsSync(NVIDIA_VERSION_FILE)) return null;
  return /Kernel Module.*?\s(\d+(?:\.\d+)+)/.exec(readFileSync(NVIDIA_VERSION_FILE, "utf8"))?.[1] ?? "unknown";
}

async function checkLibrary({ config, logger }: CheckContext): Promise<CheckResult> {
  const library = loadLibrary(config, logger);
  return judgeLibrary(library.version, library.files.directory);
}

/** A library of another version may have every function and still compute different results. */
export function judgeLibrary(version: string, directory: string): CheckResult {
  const detail = `ggml ${version} in ${directory}`;
  if (version.startsWith(`${TESTED_GGML}.`)) return ok(detail);
  return {
    status: "warning",
    detail: `${detail}, but this build is tested with ${TESTED_GGML}`,
    fix: "Use that version, or run `higgs verify-golden` to check that this one computes the same results",
  };
}

async function checkDevice({ config, logger }: CheckContext): Promise<CheckResult> {
  const devices = loadLibrary(config, logger).devices();
  const chosen = chooseDevice(devices, config.device);
  const listed = devices.map((device) => {
    const mark = device.name === chosen?.name ? "*" : "";
    return `${mark}${device.name} (${device.description}, ${formatBytes(device.memoryFreeBytes)} free of ${formatBytes(device.memoryTotalBytes)})`;
  });
  if (chosen !== null) return ok(listed.join(", "));
  return {
    status: "failed",
    detail: `HIGGS_DEVICE=${config.device} was not found; available:  ${listed.join(", ")}`,
    fix: "Set HIGGS_DEVICE to an available device or auto",
  };
}

async function checkVolume({ config }: CheckContext): Promise<CheckResult> {
  if (!existsSync(config.volumeDir)) {
    return {
      status: "skipped",
      detail: `${config.volumeDir} is not mounted`,
      fix: "On RunPod: attach a network volume to the endpoint, or use a cached model",
    };
  }
  if (!statSync(config.volumeDir).isDirectory()) {
    throw new HiggsError("VOLUME_UNAVAILABLE", "use the volume", `it is not a folder (got ${config.volumeDir})`);
  }
  const { bavail, bsize } = await statfs(config.volumeDir);
  return ok(`${config.volumeDir}, ${formatBytes(bavail * bsize)} free`);
}

async function checkModel({ config }: CheckContext): Promise<CheckResult> {
  const found = findModel(config, { allowDemo: true });
  const names: string[] = [];
  for (const path of [found.modelPath, found.tokenizerPath]) {
    const { checkpoint } = await openAnyCheckpoint(path);
    names.push(`${checkpoint.layout} layout in ${path}`);
    await checkpoint.close();
  }
  if (found.source !== "demo") return ok(names.join(", codec: "));
  return {
    status: "warning",
    detail: `only the demo checkpoint (${names.join(", codec: ")})`,
    fix: "Put the Higgs Audio V2 checkpoint on the volume or set HIGGS_MODEL_PATH; `higgs models where` shows the search order",
  };
}

async function checkMemory({ config }: CheckContext): Promise<CheckResult> {
  const limit = cgroupLimit();
  const total = Math.min(totalmem(), limit ?? Number.POSITIVE_INFINITY);
  const detail = `${formatBytes(Math.min(freemem(), total))} free of ${formatBytes(total)}${limit === null ? "" : " (container limit)"}`;
  const modelBytes = await modelSize(config);
  if (modelBytes === null || modelBytes * 1.2 < total) return ok(detail);
  return {
    status: "warning",
    detail: `${detail}, but the checkpoint has ${formatBytes(modelBytes)}`,
    fix: "Use smaller weights (HIGGS_WEIGHTS=q8_0 or q4_k) or a larger machine",
  };
}

async function modelSize(config: Config): Promise<number | null> {
  try {
    const { checkpoint } = await openAnyCheckpoint(findModel(config, { allowDemo: true }).modelPath);
    await checkpoint.close();
    return checkpoint.files.reduce((total, file) => total + file.sizeBytes, 0);
  } catch {
    return null;
  }
}

/** The container's memory limit in bytes, from cgroups v1 or v2; null when there is none. */
function cgroupLimit(): number | null {
  for (const file of ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]) {
    if (!existsSync(file)) continue;
    const bytes = Number(readFileSync(file, "utf8").trim());
    if (Number.isFinite(bytes) && bytes < 2 ** 50) return bytes;
  }
  return null;
}

async function checkCache({ config }: CheckContext): Promise<CheckResult> {
  const dir = cacheDirOf(config);
  const problem = await findWriteProblem(join(dir, "probe"));
  if (problem !== null) {
    throw new HiggsError("VOLUME_UNAVAILABLE", "use the cache folder", `${problem.reason} (got ${dir})`, {
      cause: problem.cause,
    });
  }
  const { bavail, bsize } = await statfs(dir);
  return ok(`${dir}, ${formatBytes(bavail * bsize)} free`);
}
