import { execFile } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { promisify } from "node:util";
import type { BenchReport, BenchRow } from "./report.ts";

export interface BenchReportParts {
  readonly title: string;
  readonly rows: BenchRow[];
  /** Name of the compute device. */
  readonly device: string;
  /** Where the repository is, for its commit. */
  readonly directory: string;
}

/** The report of a run that has just ended here. */
export async function createBenchReport({ title, rows, device, directory }: BenchReportParts): Promise<BenchReport> {
  const cores = cpus();
  return {
    title,
    date: new Date().toISOString(),
    commit: await currentCommit(directory),
    node: process.version,
    machine: {
      cpu: cores[0]?.model.trim() ?? "unknown",
      cores: cores.length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      device,
    },
    rows,
  };
}

async function currentCommit(directory: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "--short", "HEAD"], { cwd: directory });
    return stdout.trim();
  } catch {
    return "unknown";
  }
}
