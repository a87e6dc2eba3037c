import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun } from "./programs.ts";

/** The device code in a CUDA library. */
export interface CudaCode {
  /** Compute capabilities with machine code (SASS), such as `8.6` and `12.0a`. */
  readonly machineCode: readonly string[];
  /** Compute capabilities with PTX. */
  readonly ptx: readonly string[];
  /** Version of PTX's instruction set, which a driver must know to compile it, such as `8.4`. */
  readonly ptxVersion: string;
}

/** Capabilities in the file names that `cuobjdump` lists (`name.7.sm_120a.cubin`), each once, in order. */
export function parseCapabilities(output: string): string[] {
  const names = [...output.matchAll(/\.sm_(\d+)(\d)([a-z]?)\.(?:cubin|ptx)\b/g)];
  const capabilities = new Set(names.map(([, major = "", minor = "", suffix = ""]) => `${major}.${minor}${suffix}`));
  return [...capabilities].toSorted((a, b) => Number.parseFloat(a) - Number.parseFloat(b));
}

/** The `.version` line of PTX. */
export function parsePtxVersion(ptx: string): string | null {
  return /^\.version\s+(\d+\.\d+)\s*$/m.exec(ptx)?.[1] ?? null;
}

/**
 * Reads the device code of a library with NVIDIA's `cuobjdump`.
 *
 * @throws {Error} when it has no PTX
 */
export async function cudaCodeOf(library: string, cuobjdump: string): Promise<CudaCode> {
  const machineCode = parseCapabilities(await mustRun(cuobjdump, ["--list-elf", library]));
  const listed = await mustRun(cuobjdump, ["--list-ptx", library]);
  const first = /\S+\.ptx\b/.exec(listed)?.[0];
  if (first === undefined) throw new Error(`Cannot read ${library}: it has no PTX`);
  const folder = mkdtempSync(join(tmpdir(), "higgs-ptx-"));
  try {
    // It writes into its working folder.
    await mustRun("sh", [
      "-c",
      'cd "$1" && exec "$2" --extract-ptx "$3" "$4"',
      "sh",
      folder,
      cuobjdump,
      first,
      library,
    ]);
    const text = readFileSync(join(folder, readdirSync(folder)[0] ?? ""), "utf8");
    return { machineCode, ptx: parseCapabilities(listed), ptxVersion: parsePtxVersion(text) ?? "unknown" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** NVIDIA's `cuobjdump` of the pinned wheel, in a folder that is kept. Needs Python with pip. */
export async function fetchCuobjdump(root: string, folder: string): Promise<string> {
  const program = join(folder, "nvidia", "cu13", "bin", "cuobjdump");
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const requirements = join(root, "docker", "tools", "requirements.txt");
  const options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"];
  await mustRun("python3", ["-m", "pip", "download", ...options, "--dest", folder, "-r", requirements]);
  await mustRun("sh", ["-c", 'cd "$1" && python3 -m zipfile -e ./*.whl . && chmod +x "$2"', "sh", folder, program]);
  return program;
}
