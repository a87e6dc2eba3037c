import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Programs that read audio, with the Debian package that has them. */
const TOOL_PACKAGES: Readonly<Record<string, string>> = {
  ffmpeg: "ffmpeg",
  ffprobe: "ffmpeg",
  flac: "flac",
  mpg123: "mpg123",
  opusdec: "opus-tools",
  sox: "sox",
};

function isThere(command: string): boolean {
  return spawnSync("which", [command]).status === 0;
}

/** Installs the Debian packages of missing programs where that is possible; gives the programs that are missing still. */
export function installTools(): readonly string[] {
  const missing = () => Object.keys(TOOL_PACKAGES).filter((command) => !isThere(command));
  const wanted = [...new Set(missing().map((command) => TOOL_PACKAGES[command] ?? command))];
  if (wanted.length > 0 && process.getuid?.() === 0 && isThere("apt-get")) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
    spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...wanted], { env, stdio: "ignore" });
  }
  return missing();
}

/** Runs a program and gives what it wrote to its output, and to its error output. */
export function run(command: string, args: readonly string[]): { readonly bytes: Buffer; readonly text: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { maxBuffer: 2 ** 28 });
  if (status !== 0)
    throw new Error(`${command} ended with ${status ?? String(error)}: ${stderr.toString().slice(-300)}`);
  return { bytes: stdout, text: stderr.toString() };
}

/** A file for the programs to read, gone afterwards. */
export function withFile<T>(name: string, bytes: Uint8Array, read: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "higgs-formats-"));
  try {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return read(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** 16-bit little-endian samples as floats. */
export function samplesOf(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(i * 2) / 2 ** 15);
}
