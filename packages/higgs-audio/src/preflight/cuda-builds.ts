/** What a build of ggml's CUDA backend holds, as read off the library of version 3.22.1 of its npm package. */
export interface CudaBuild {
  /** Major version of the CUDA runtime that it is linked with. */
  readonly runtime: number;
  /** Oldest driver (its major version) on which that runtime works. */
  readonly oldestDriver: number;
  /** Compute capabilities with machine code. It runs on cards of the same major version and an equal or higher minor one; with the suffix `a` on exactly that one. */
  readonly machineCode: readonly string[];
  /** Compute capabilities with PTX, which the driver compiles for cards of an equal or higher capability. */
  readonly ptx: readonly string[];
  /** Oldest driver that knows this PTX's version. */
  readonly oldestPtxDriver: number;
}

export type CudaFlavor = "cuda13" | "cuda12";

export const CUDA_BUILDS: Readonly<Record<CudaFlavor, CudaBuild>> = {
  cuda13: {
    runtime: 13,
    oldestDriver: 580,
    machineCode: ["8.6", "8.9", "12.0a", "12.1a"],
    ptx: ["7.5", "8.0", "9.0"],
    oldestPtxDriver: 590,
  },
  cuda12: {
    runtime: 12,
    oldestDriver: 525,
    machineCode: ["8.6"],
    ptx: ["5.0", "6.1", "7.0", "7.5", "8.0"],
    oldestPtxDriver: 550,
  },
};
