import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** One NVIDIA card. */
export interface GpuCard {
  readonly name: string;
  /** Such as `8.6`. */
  readonly computeCapability: string;
}

/** What is known of the NVIDIA driver and its cards without loading any of its libraries. */
export interface GpuFacts {
  /** Such as `570.86.15`; null when there is no driver. */
  readonly driver: string | null;
  /** Empty when they are not known. */
  readonly cards: readonly GpuCard[];
}

const DRIVER_FILE = "/proc/driver/nvidia/version";
const QUERY = ["--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader"];
/** It takes a fraction of a second; a card that has fallen off the bus makes it wait for minutes. */
const QUERY_TIMEOUT_MS = 20_000;

/** Asks `nvidia-smi`; the driver's own file tells its version where that program is missing. */
export async function readGpuFacts(): Promise<GpuFacts> {
  const text = await new Promise<string>((resolve) => {
    execFile("nvidia-smi", QUERY, { timeout: QUERY_TIMEOUT_MS }, (error, stdout) =>
      resolve(error === null ? stdout : ""),
    );
  });
  const facts = parseCards(text);
  if (facts.driver !== null || !existsSync(DRIVER_FILE)) return facts;
  return { driver: parseDriverFile(readFileSync(DRIVER_FILE, "utf8")), cards: [] };
}

/** Reads `nvidia-smi`'s lines `name, capability, driver`. Lines of another form, such as its messages, are passed over. */
export function parseCards(text: string): GpuFacts {
  const lines = text.split("\n").flatMap((line) => {
    const match = /^(?<name>.+), *(?<capability>\d+\.\d+), *(?<driver>\d+(?:\.\d+)+)\s*$/.exec(line);
    return match?.groups === undefined ? [] : [match.groups];
  });
  return {
    driver: lines[0]?.["driver"] ?? null,
    cards: lines.map(({ name = "", capability = "" }) => ({ name, computeCapability: capability })),
  };
}

/** The version in the text of the driver's file, of its closed or open kernel module; null when it has none. */
export function parseDriverFile(text: string): string | null {
  return /Kernel Module\b.*?\s(\d+(?:\.\d+)+)\s/.exec(text)?.[1] ?? null;
}
