import { type CudaCode } from "./cuda-code.ts";

/** What `npm run check:image -- --save` records in docker/measured.json for docs/IMAGE.md. */
export interface Measured {
  /** How and where the images were built. */
  readonly base: string;
  readonly images: readonly MeasuredImage[];
  /** Milliseconds from `podman run` to the first audio of a job in the queue, with the demo checkpoint on the CPU. */
  readonly firstAudioMs: number;
  readonly machine: string;
}

export interface MeasuredImage {
  readonly target: TargetName;
  readonly bytes: number;
  /** From the base upwards. */
  readonly layers: readonly MeasuredLayer[];
  readonly gpuLibrary: MeasuredLibrary;
  /** NVIDIA's libraries beside it. */
  readonly runtime: readonly { readonly name: string; readonly bytes: number }[];
}

export interface MeasuredLayer {
  readonly what: string;
  readonly bytes: number;
}

export interface MeasuredLibrary {
  readonly name: string;
  /** npm package and version. */
  readonly from: string;
  readonly bytes: number;
  readonly needs: readonly string[];
  /** Libraries that the driver brings. */
  readonly ofTheDriver: readonly string[];
  readonly code: CudaCode | null;
}

export type TargetName = "cuda12" | "cuda13" | "vulkan";

export interface Target {
  readonly name: TargetName;
  /** Uncompressed bytes that the image may have. */
  readonly maxBytes: number;
  /** Its GPU library, below the image's root. */
  readonly gpuLibrary: string;
  /** Libraries that only the host's driver has; their symbols stay open in the image. */
  readonly ofTheDriver: readonly string[];
  readonly driverSymbols: RegExp;
}

const PACKAGES = "app/node_modules/@node-llama-cpp";

export const TARGETS: readonly Target[] = [
  {
    name: "cuda12",
    maxBytes: 1.45e9,
    gpuLibrary: `${PACKAGES}/linux-x64-cuda-ext/bins/linux-x64-cuda/fallback/libggml-cuda.so`,
    ofTheDriver: ["libcuda.so.1"],
    driverSymbols: /^cu[A-Z]/,
  },
  {
    name: "cuda13",
    maxBytes: 1.1e9,
    gpuLibrary: `${PACKAGES}/linux-x64-cuda/bins/linux-x64-cuda/libggml-cuda.so`,
    ofTheDriver: ["libcuda.so.1"],
    driverSymbols: /^cu[A-Z]/,
  },
  {
    name: "vulkan",
    maxBytes: 0.4e9,
    gpuLibrary: `${PACKAGES}/linux-x64-vulkan/bins/linux-x64-vulkan/libggml-vulkan.so`,
    ofTheDriver: [],
    driverSymbols: /^$/,
  },
];
