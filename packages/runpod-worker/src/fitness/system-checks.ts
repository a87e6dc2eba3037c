import { statfs } from "node:fs/promises";
import { connect } from "node:net";
import type { Logger } from "../logging/logger.ts";
import { availableMemoryBytes } from "./available-memory.ts";
import type { FitnessCheck } from "./fitness-checks.ts";
import type { FitnessKnobs } from "./knobs.ts";

const GIB = 1024 ** 3;
interface NetworkProbe {
  readonly host: string;
  readonly port: number;
}

/** The address that the official SDK uses too: reachable from anywhere with internet access. */
const NETWORK_PROBE = { host: "8.8.8.8", port: 53 };

/** Automatic checks of memory, disk and network; their names are those of the official SDK (spec platform §1.4). */
export function systemChecks(
  knobs: FitnessKnobs,
  log: Logger,
  probe: NetworkProbe = NETWORK_PROBE,
): readonly FitnessCheck[] {
  return [
    { name: "_memory_check", check: () => checkMemory(knobs.minMemoryGb, log) },
    { name: "_disk_check", check: () => checkDisk(knobs.minDiskPercent, log) },
    { name: "_network_check", check: () => checkNetwork(probe, knobs.networkTimeoutMs, log) },
  ];
}

async function checkMemory(minGb: number, log: Logger): Promise<void> {
  const availableGb = (await availableMemoryBytes()) / GIB;
  if (availableGb < minGb) {
    throw new Error(`Insufficient memory: ${availableGb.toFixed(2)}GB available, ${minGb}GB required`);
  }
  log.info(`Memory check passed: ${availableGb.toFixed(2)}GB available`);
}

async function checkDisk(minPercent: number, log: Logger): Promise<void> {
  const { bsize, blocks, bavail } = await statfs("/");
  const freeGb = (bavail * bsize) / GIB;
  const freePercent = blocks === 0 ? 0 : (100 * bavail) / blocks;
  const found = `${freeGb.toFixed(2)}GB free (${freePercent.toFixed(1)}%)`;
  if (freePercent < minPercent) throw new Error(`Insufficient disk space: ${found}, ${minPercent}% required`);
  log.info(`Disk space check passed: ${found}`);
}

function checkNetwork(probe: NetworkProbe, timeoutMs: number, log: Logger): Promise<void> {
  const startedAtMs = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ ...probe });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`Network connectivity failed: no connection to ${probe.host} within ${timeoutMs}ms`));
    }, timeoutMs);
    socket.on("connect", () => {
      clearTimeout(timer);
      socket.destroy();
      const tookMs = Math.round(performance.now() - startedAtMs);
      log.info(`Network connectivity passed: Connected to ${probe.host} (${tookMs}ms)`);
      resolve();
    });
    socket.on("error", (error) => {
      clearTimeout(timer);
      reject(new Error(`Network connectivity failed: ${error.message}`, { cause: error }));
    });
  });
}
