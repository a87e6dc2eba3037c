import type { CudaCode } from "../image/cuda-code.ts";
import { type Measured, type MeasuredImage, TARGETS } from "../image/measured.ts";

/** Kinds of cards, by compute capability. */
const CARDS = [
  { name: "A100", computeCapability: "8.0" },
  { name: "3090, A40, A5000, A6000", computeCapability: "8.6" },
  { name: "4090, L4, L40S, 6000 Ada", computeCapability: "8.9" },
  { name: "H100, H200", computeCapability: "9.0" },
  { name: "B200", computeCapability: "10.0" },
  { name: "5090, PRO 6000", computeCapability: "12.0" },
];

/** Oldest driver that a generation of CUDA's runtime works with, by the number in its library's name. */
const RUNTIME_DRIVERS: Readonly<Record<string, number>> = { "libcudart.so.12": 525, "libcudart.so.13": 580 };

/** Oldest driver that compiles a version of PTX: the one of the CUDA release that brought it (12.4, 13.1). */
const PTX_DRIVERS: Readonly<Record<string, number>> = { "8.4": 550, "9.1": 590 };

/** The generated part of docs/IMAGE.md. */
export function imageMarkdown(measured: Measured): string {
  const { images } = measured;
  const cuda = images.filter(({ gpuLibrary }) => gpuLibrary.code !== null);
  return [
    `Uncompressed, on a base from ${measured.base}. First audio: ${(measured.firstAudioMs / 1000).toFixed(1)} s after \`podman run\` of`,
    `\`cuda12\` with the demo checkpoint on the CPU (${measured.machine}), model load and warm-up included.`,
    "",
    "### Sizes",
    "",
    table(
      ["Layer", ...images.map(({ target }) => `\`${target}\``)],
      [
        ...layerNames(images).map((what) => [
          what,
          ...images.map(({ layers }) => megabytes(layers.find((layer) => layer.what === what)?.bytes)),
        ]),
        ["**together**", ...images.map(({ bytes }) => `**${megabytes(bytes)}**`)],
        ["limit", ...images.map(({ target }) => megabytes(TARGETS.find(({ name }) => name === target)?.maxBytes))],
      ],
    ),
    "",
    "### GPU libraries",
    "",
    table(
      ["Target", "GPU library", "Machine code (SASS)", "PTX", "Needs", "From the driver"],
      images.map(({ target, gpuLibrary: { name, from, bytes, code, needs, ofTheDriver }, runtime }) => [
        `\`${target}\``,
        `${name} of ${from}, ${megabytes(bytes)}`,
        code === null ? "none: SPIR-V, which the driver compiles" : code.machineCode.join(", "),
        code === null ? "" : `${code.ptx.join(", ")}, instruction set ${code.ptxVersion}`,
        needs.map((library) => sized(library, runtime)).join(", ") + besides(needs, runtime),
        ofTheDriver.join(", "),
      ]),
    ),
    "",
    "### Cards and drivers",
    "",
    table(
      ["Card (compute capability)", ...cuda.map(({ target }) => `\`${target}\``)],
      CARDS.map(({ name, computeCapability }) => [
        `${name} (${computeCapability})`,
        ...cuda.map((image) => howItRuns(image, computeCapability)),
      ]),
    ),
    "",
    "The driver must know the card too: a 5090 needs 570. `vulkan` needs a driver with Vulkan 1.3.",
  ].join("\n");
}

/** On which drivers a library runs on a card, and whether it must be compiled there first. */
export function howItRuns({ gpuLibrary: { code, needs } }: MeasuredImage, card: string): string {
  if (code === null) return "";
  const runtimeDriver = RUNTIME_DRIVERS[needs.find((name) => name in RUNTIME_DRIVERS) ?? ""];
  const ptxDriver = PTX_DRIVERS[code.ptxVersion];
  if (runtimeDriver === undefined || ptxDriver === undefined) {
    throw new Error(`Cannot tell the drivers: CUDA's runtime or PTX ${code.ptxVersion} is not in the tables`);
  }
  if (code.machineCode.some((built) => runsMachineCode(built, card))) return `driver ≥ ${runtimeDriver}`;
  const isCompiled = code.ptx.some((built) => order(built) <= order(card));
  return isCompiled ? `driver ≥ ${Math.max(ptxDriver, runtimeDriver)}, which compiles the kernels once` : "no";
}

/** Machine code runs within one major version, on an equal or higher minor one; that with an `a` nowhere else. */
function runsMachineCode(built: CudaCode["machineCode"][number], card: string): boolean {
  if (built.endsWith("a")) return built === `${card}a`;
  return Number.parseInt(built, 10) === Number.parseInt(card, 10) && order(built) <= order(card);
}

/** 8.6 → 806: 8.10 would come after it. */
function order(capability: string): number {
  const [major = 0, minor = 0] = capability.split(".").map(Number);
  return major * 100 + minor;
}

/** Layers of all images in one order: from below, those that only some have before those that all have above them. */
function layerNames(images: readonly MeasuredImage[]): string[] {
  return images
    .flatMap(({ layers }) => layers.map(({ what }, index) => ({ what, index })))
    .toSorted((a, b) => a.index - b.index)
    .map(({ what }) => what)
    .filter((what, index, all) => all.indexOf(what) === index);
}

function sized(name: string, runtime: MeasuredImage["runtime"]): string {
  const bytes = runtime.find((library) => library.name === name)?.bytes;
  return bytes === undefined ? name : `${name} (${megabytes(bytes)})`;
}

/** Libraries that those it names need in turn. */
function besides(needs: readonly string[], runtime: MeasuredImage["runtime"]): string {
  const others = runtime.filter(({ name }) => !needs.includes(name));
  return others.length === 0 ? "" : `, and through them ${others.map(({ name }) => sized(name, runtime)).join(", ")}`;
}

function megabytes(bytes: number | undefined): string {
  if (bytes === undefined) return "";
  return bytes < 1e6 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
