import { readdirSync, readFileSync } from "node:fs";

/** A process and its children, on Linux. */
export function processTree(pid: number): number[] {
  const pids = [pid];
  for (const parent of pids) {
    const tasks = readdirSync(`/proc/${parent}/task`);
    for (const task of tasks) {
      const children = readFileSync(`/proc/${parent}/task/${task}/children`, "utf8").trim();
      if (children !== "") pids.push(...children.split(" ").map(Number));
    }
  }
  return pids;
}

/** Memory that the processes have in use, in MiB. */
export function residentMebibytes(pids: readonly number[]): number {
  const kibibytes = pids.map((pid) => {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1] ?? 0);
  });
  return Math.round(kibibytes.reduce((sum, each) => sum + each, 0) / 1024);
}
