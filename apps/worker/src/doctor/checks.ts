import { existsSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import { type HugePageSetting, hugePageSetting } from "@higgs-worker/ggml";
import { readHostMemory } from "@higgs-worker/higgs-audio/parts";
import { cacheDirOf } from "../model/cache-dir.ts";
import { findModel } from "../model/locations.ts";
import { memoryPlanText, MORE_MEMORY, slotsText } from "../model/memory-plan-text.ts";
import { planModel } from "../model/plan-model.ts";
import { openAnyCheckpoint } from "../model/open-any-checkpoint.ts";
import { findWriteProblem } from "../storage/file-store.ts";
import { formatBytes } from "../terminal/format.ts";
import { ok, type CheckContext, type CheckResult, type DoctorCheck } from "./check.ts";
import { checkDevice, checkDriver, checkLibrary } from "./device-checks.ts";
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

/** What there is, and what the model would take of it: on the device if it can be opened, else of this machine. */
async function checkMemory({ config, logger, env, signal }: CheckContext): Promise<CheckResult> {
  const { freeBytes, totalBytes, isLimited } = readHostMemory();
  const limit = isLimited ? " (container limit)" : "";
  const amount = `${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}${limit}`;
  const host = `${amount}; ${describeHugePages(hugePageSetting())}`;
  const plan = await planModel(config, { logger, env, signal });
  if (plan === null) return ok(host);
  const detail = `${host}; memory plan for ${slotsText(plan.slots)}: ${memoryPlanText(plan)}`;
  return plan.isEnough ? ok(detail) : { status: "warning", detail, fix: MORE_MEMORY };
}

/** What the kernel's setting means for weights in the host's memory. */
export function describeHugePages(setting: HugePageSetting | null): string {
  if (setting === null) return "weights on small pages, as this system has no setting for huge ones";
  if (setting !== "never") return `weights on huge pages (transparent_hugepage: ${setting})`;
  return "weights on small pages (transparent_hugepage: never; with madvise a step on the CPU is faster)";
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
