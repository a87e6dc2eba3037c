import { CUDA_BUILDS, type CudaFlavor } from "../../packages/higgs-audio/src/preflight/cuda-builds.ts";
import { judgeLibrary } from "../../packages/higgs-audio/src/preflight/judge-library.ts";
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

/** First versions of NVIDIA's drivers that a judgment may depend on. */
const DRIVERS = Object.values(CUDA_BUILDS)
  .flatMap(({ oldestDriver: machineCode, oldestPtxDriver: ptx }) => [machineCode, ptx])
  .toSorted((a, b) => a - b);

const CUDA_TARGETS: readonly CudaFlavor[] = ["cuda12", "cuda13"];

/** The generated part of docs/IMAGE.md. */
export function imageMarkdown(measured: Measured): string {
  const { images } = measured;
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
      ["Card (compute capability)", ...CUDA_TARGETS.map((target) => `\`${target}\``)],
      CARDS.map((card) => [
        `${card.name} (${card.computeCapability})`,
        ...CUDA_TARGETS.map((target) => oldestDriver(target, card)),
      ]),
    ),
    "",
    "The driver must know the card too: a 5090 needs 570. `vulkan` needs a driver with Vulkan 1.3.",
  ].join("\n");
}

/** The oldest driver on which a library runs on a card, and whether the driver must compile it there first. */
function oldestDriver(target: CudaFlavor, card: (typeof CARDS)[number]): string {
  for (const driver of DRIVERS) {
    const { fit } = judgeLibrary(target, { driver: String(driver), cards: [card] });
    if (fit === "fits") return `driver ≥ ${driver}`;
    if (fit === "compiles") return `driver ≥ ${driver}, which compiles the kernels once`;
  }
  return "no";
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
