import { existsSync, readFileSync } from "node:fs";

const MAPS = "/proc/self/maps";

/** File whose mapping in this process holds an address; null when there is none, and on systems that do not tell. */
export function fileMappedAt(address: bigint): string | null {
  return existsSync(MAPS) ? fileInMaps(readFileSync(MAPS, "utf8"), address) : null;
}

/** Looks an address up in the text of Linux's `/proc/PID/maps`. */
export function fileInMaps(maps: string, address: bigint): string | null {
  for (const line of maps.split("\n")) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+ +(\/.*)$/.exec(line);
    const [, from, to, file] = match ?? [];
    if (from === undefined || to === undefined || file === undefined) continue;
    if (address >= BigInt(`0x${from}`) && address < BigInt(`0x${to}`)) return file;
  }
  return null;
}
