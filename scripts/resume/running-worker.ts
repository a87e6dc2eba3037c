import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Emulator, WorkerProcess } from "runpod-worker/emulator";

const ROOT = join(import.meta.dirname, "..", "..");

export interface WorkerPlaces {
  /** The network volume, which all workers share. */
  readonly volume: string;
  readonly output: string;
}

/** Starts `higgs worker` with the demo checkpoint, as the platform does: in a process group of its own. */
export function spawnWorker(emulator: Emulator, { volume, output }: WorkerPlaces, podId: string): WorkerProcess {
  return emulator.spawn(
    {
      command: process.execPath,
      args: [join(ROOT, "apps", "worker", "bin", "higgs.js"), "worker"],
      env: {
        PATH: process.env["PATH"],
        HOME: volume,
        HIGGS_MODEL_PATH: join(ROOT, "demo-checkpoint", "checkpoint"),
        HIGGS_DEVICE: "cpu",
        HIGGS_VOLUME_DIR: volume,
        HIGGS_OUTPUT_DIR: output,
        HIGGS_MAX_TRANSCRIPT_CHARS: "1000000",
        RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true",
        RUNPOD_SKIP_GPU_CHECK: "true",
      },
    },
    { podId },
  );
}

/** The engine's process of a worker; null when it has none now. */
export function enginePidOf(worker: WorkerProcess): number | null {
  const { pid } = worker;
  if (pid === undefined) return null;
  const children = readText(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean).map(Number);
  return children.find((child) => readText(`/proc/${child}/cmdline`).includes("engine-process-main")) ?? null;
}

/** Resident memory of a process in MB; null when it is gone. */
export function residentMbOf(pid: number | null | undefined): number | null {
  const pages = readText(`/proc/${pid ?? "none"}/statm`).split(" ")[1];
  return pages === undefined ? null : (Number(pages) * 4096) / 1e6;
}

/** Chunks that are kept on the volume, of all jobs, and their bytes. */
export function keptChunks(volume: string): number {
  const folder = join(volume, "higgs_audio", "jobs");
  const speeches = list(folder).filter((name) => name !== "seeds");
  return speeches.reduce(
    (sum, name) => sum + list(join(folder, name)).filter((file) => file.endsWith(".chunk")).length,
    0,
  );
}

/** What is left of jobs on the volume: names of speeches and seeds. */
export function leftOnVolume(volume: string): string[] {
  const folder = join(volume, "higgs_audio", "jobs");
  return [...list(folder).filter((name) => name !== "seeds"), ...list(join(folder, "seeds"))];
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
