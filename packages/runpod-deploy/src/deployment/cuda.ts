/** What an image needs of a host's driver: the GPU library that is in it. */
export const IMAGE_TARGETS = ["cuda12", "cuda13", "vulkan"] as const;

export type ImageTarget = (typeof IMAGE_TARGETS)[number];

/** Pools whose cards have no compiled kernels in the CUDA 13 library: their driver must compile PTX of ISA 9.1. */
const POOLS_OF_COMPILED_PTX = new Set(["AMPERE_80", "ADA_80_PRO", "HOPPER_141", "BLACKWELL_180"]);

/**
 * The lowest CUDA version that a host's driver must report, or null when any will do. The CUDA 12 library has PTX of ISA 8.4,
 * which drivers of CUDA 12.4 (550) compile for every card. The CUDA 13 library runs on drivers of 13.0 (580) on cards that it
 * has kernels for, and needs 13.1 (590) on A100, H100, H200 and B200.
 */
export function minCudaVersionFor(target: ImageTarget, pools: readonly string[]): string | null {
  if (target === "vulkan") return null;
  if (target === "cuda12") return "12.4";
  return pools.some((pool) => POOLS_OF_COMPILED_PTX.has(pool)) ? "13.1" : "13.0";
}

/** The target that an image's tag names, such as `0.1.0-cuda13`; `cuda12` when it names none, as that is the default build. */
export function imageTargetOf(image: string): ImageTarget {
  const tag = image.slice(image.lastIndexOf("/") + 1);
  return IMAGE_TARGETS.find((target) => tag.toLowerCase().includes(target)) ?? "cuda12";
}
