import { join } from "node:path";

/** A new card's kernels take some hundred megabytes; NVIDIA's default lets them push each other out. 4 GiB is its limit. */
const CUDA_CACHE_BYTES = 4 * 1024 ** 3;

/**
 * The variables that tell drivers to keep what they compile in a folder, so that only the first start on a kind of card
 * pays for it: NVIDIA's CUDA and Vulkan drivers, and Mesa's. Variables that are set stay as they are.
 */
export function compileCacheVariables(
  environment: Readonly<Record<string, string | undefined>>,
  cacheDir: string,
): Readonly<Record<string, string>> {
  const vulkan = join(cacheDir, "vulkan");
  const wanted = {
    CUDA_CACHE_PATH: join(cacheDir, "cuda"),
    CUDA_CACHE_MAXSIZE: String(CUDA_CACHE_BYTES),
    __GL_SHADER_DISK_CACHE: "1",
    __GL_SHADER_DISK_CACHE_PATH: vulkan,
    __GL_SHADER_DISK_CACHE_SKIP_CLEANUP: "1",
    MESA_SHADER_CACHE_DIR: vulkan,
  };
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => (environment[name] ?? "") === ""));
}
