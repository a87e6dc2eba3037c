import { CUDA_BUILDS, type CudaBuild, type CudaFlavor } from "./cuda-builds.ts";
import type { GpuFacts } from "./gpu-facts.ts";

/** The builds between which is chosen, best first; `cpu` stands for the plain build, which has Metal on a Mac. */
export const LIBRARY_NAMES = ["cuda13", "cuda12", "vulkan", "metal", "cpu"] as const;
export type LibraryName = (typeof LIBRARY_NAMES)[number];

/** `compiles`: fits, and the driver compiles its kernels at the first start. `unknown`: only trying can tell. */
export type Fit = "fits" | "compiles" | "unknown" | "unfit";

export interface Judgement {
  readonly library: LibraryName;
  readonly fit: Fit;
  /** For people: what was compared. */
  readonly reason: string;
}

/** What driver and card let expect of a library. Pure; a trial has the last word. */
export function judgeLibrary(library: LibraryName, facts: GpuFacts): Judgement {
  if (library === "cuda13" || library === "cuda12") return { library, ...judgeCuda(library, facts) };
  return { library, ...WITHOUT_FACTS[library] };
}

const WITHOUT_FACTS: Readonly<Record<Exclude<LibraryName, CudaFlavor>, Pick<Judgement, "fit" | "reason">>> = {
  vulkan: { fit: "unknown", reason: "it needs a driver with Vulkan 1.3 of any maker" },
  metal: { fit: "unknown", reason: "it needs a Mac with Metal" },
  cpu: { fit: "fits", reason: "it runs everywhere" },
};

function judgeCuda(flavor: CudaFlavor, { driver, cards }: GpuFacts): Pick<Judgement, "fit" | "reason"> {
  const build = CUDA_BUILDS[flavor];
  if (driver === null) return { fit: "unfit", reason: "there is no NVIDIA driver" };
  const major = Number.parseInt(driver, 10);
  const needs = (version: number) => `driver ${driver} is too old (needs ${version})`;
  if (major < build.oldestDriver) return { fit: "unfit", reason: needs(build.oldestDriver) };
  const [card] = cards;
  if (card === undefined) return { fit: "unknown", reason: `driver ${driver} is new enough; the card is not known` };
  const what = `${card.name} (compute capability ${card.computeCapability})`;
  const code = build.machineCode.find((built) => runsMachineCode(built, card.computeCapability));
  if (code !== undefined) return { fit: "fits", reason: `it has machine code ${code} for ${what}, driver ${driver}` };
  const ptx = bestPtx(build, card.computeCapability);
  if (ptx === undefined) return { fit: "unfit", reason: `it has no code for ${what}` };
  if (major < build.oldestPtxDriver) {
    return { fit: "unfit", reason: `it has only PTX ${ptx} for ${what}, and ${needs(build.oldestPtxDriver)}` };
  }
  return { fit: "compiles", reason: `driver ${driver} compiles its PTX ${ptx} for ${what}` };
}

/** Machine code runs within one major version, on an equal or higher minor one; that with an `a` nowhere else. */
function runsMachineCode(built: string, card: string): boolean {
  if (built.endsWith("a")) return built === `${card}a`;
  return majorOf(built) === majorOf(card) && order(built) <= order(card);
}

function bestPtx({ ptx }: CudaBuild, card: string): string | undefined {
  return ptx.findLast((built) => order(built) <= order(card));
}

function majorOf(capability: string): number {
  return Number.parseInt(capability, 10);
}

/** 8.6 → 806: 8.10 would come after it. */
function order(capability: string): number {
  const [major = 0, minor = 0] = capability.split(".").map(Number);
  return major * 100 + minor;
}

export interface PlanOptions {
  /** What the user asked for. */
  readonly device: "auto" | "cuda" | "vulkan" | "metal" | "cpu";
  /** The builds that are there. */
  readonly installed: readonly LibraryName[];
  readonly facts: GpuFacts;
  /** Whether `auto` may end at the CPU. */
  readonly allowCpu: boolean;
}

const LIBRARIES_OF = {
  auto: ["cuda13", "cuda12", "vulkan", "metal"],
  cuda: ["cuda13", "cuda12"],
  vulkan: ["vulkan"],
  metal: ["metal"],
  cpu: ["cpu"],
} as const satisfies Readonly<Record<PlanOptions["device"], readonly LibraryName[]>>;

/**
 * The libraries to try, in order. Those that cannot fit by what is known come behind the others: the table may be wrong about
 * a driver (NVIDIA's compatibility packages make an old one newer), and a trial costs seconds. The CPU comes last, if at all.
 */
export function planLibraries({ device, installed, facts, allowCpu }: PlanOptions): Judgement[] {
  const judged = LIBRARIES_OF[device]
    .filter((library) => installed.includes(library))
    .map((library) => judgeLibrary(library, facts));
  const likely = judged.filter(({ fit }) => fit !== "unfit");
  const unlikely = judged.filter(({ fit }) => fit === "unfit");
  const last = device === "auto" && allowCpu ? [judgeLibrary("cpu", facts)] : [];
  return [...likely, ...unlikely, ...last];
}
