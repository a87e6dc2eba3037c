import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ContainerHost } from "./container-host.ts";
import { cudaCodeOf } from "./cuda-code.ts";
import { linkingOf, neededLibraries } from "./elf-facts.ts";
import type { MeasuredImage, MeasuredLayer, MeasuredLibrary, Target } from "./measured.ts";
import { expectThat, type Report } from "./report.ts";

/** Layers above the base, from below, as the Dockerfile makes them; layers of a few bytes are left out. */
const LAYERS: Readonly<Record<Target["name"], readonly string[]>> = {
  cuda12: [
    "Node 24, without symbols",
    "NVIDIA's runtime libraries",
    "ggml's CUDA library",
    "npm packages, ggml's CPU variants",
    "bill of materials",
    "the program",
  ],
  cuda13: [
    "Node 24, without symbols",
    "NVIDIA's runtime libraries",
    "ggml's CUDA library",
    "npm packages, ggml's CPU variants",
    "bill of materials",
    "the program",
  ],
  vulkan: [
    "Node 24, without symbols",
    "Vulkan's loader, X11 for NVIDIA's driver",
    "ggml's Vulkan library",
    "npm packages, ggml's CPU variants",
    "bill of materials",
    "the program",
  ],
};
const MIN_LAYER_BYTES = 10_000;

interface HistoryEntry {
  readonly size: number;
}

interface Inspected {
  readonly Size: number;
  readonly Config: {
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
    readonly StopSignal?: string;
    readonly Entrypoint: readonly string[];
    readonly Cmd: readonly string[];
  };
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

interface Bill {
  readonly bomFormat: string;
  readonly components: readonly { readonly purl: string; readonly hashes?: readonly object[] }[];
}

/** Checks an image without running it, and measures it. */
export async function checkFiles(
  host: ContainerHost,
  image: string,
  target: Target,
  report: Report,
  cuobjdump: string,
): Promise<MeasuredImage> {
  const [inspected] = JSON.parse(await host.podman(["image", "inspect", image])) as [Inspected];
  const history = JSON.parse(await host.podman(["history", "--format", "json", image])) as HistoryEntry[];
  const bytes = inspected.Size;
  await report.check(`${target.name}: at most ${(target.maxBytes / 1e9).toFixed(2)} GB uncompressed`, () => {
    expectThat(bytes <= target.maxBytes, `it has ${(bytes / 1e9).toFixed(3)} GB`);
    return `${(bytes / 1e9).toFixed(3)} GB`;
  });
  await report.check(`${target.name}: says how it is run, stopped and asked, and what it is`, () =>
    checkConfig(inspected),
  );
  return host.withFiles(image, async (root) => {
    const files = filesBelow(root);
    await report.check(`${target.name}: only what is needed`, () => checkPruning(files, root, target));
    await report.check(`${target.name}: bill of materials`, () => checkBill(files, root, target));
    const library = join(root, target.gpuLibrary);
    await report.check(`${target.name}: every symbol is there but the driver's`, () =>
      checkLinking(library, root, target),
    );
    const folder = dirname(target.gpuLibrary);
    const runtime = readdirSync(join(root, folder))
      .filter((name) => /^lib(cu|nv)/.test(name))
      .map((name) => ({ name, bytes: statSync(join(root, folder, name)).size }));
    return {
      target: target.name,
      bytes,
      layers: namedLayers(history, target),
      gpuLibrary: await describeLibrary(library, root, target, cuobjdump),
      runtime,
    };
  });
}

function checkConfig({ Config: config, Healthcheck: health }: Inspected): void {
  expectThat(config.StopSignal === "SIGTERM", `its stop signal is ${config.StopSignal ?? "not set"}`);
  expectThat(health?.Test.join(" ") === "CMD higgs health", "its health check is not `higgs health`");
  expectThat(config.Env.includes("NODE_ENV=production"), "NODE_ENV is not production");
  expectThat([...config.Entrypoint, ...config.Cmd].join(" ") === "higgs worker", "it does not run `higgs worker`");
  for (const name of ["title", "description", "version", "revision", "licenses", "base.name"]) {
    const value = config.Labels[`org.opencontainers.image.${name}`] ?? "";
    expectThat(value !== "" && !value.includes("$"), `the label ${name} is missing`);
  }
}

function checkPruning(files: readonly string[], root: string, target: Target): string {
  const ours = files.filter((path) => path.startsWith("app/"));
  const waste = ours.filter((path) => /\.(map|test\.[cm]?js|tsbuildinfo)$|llama-addon|libllama/.test(path));
  expectThat(waste.length === 0, `it has ${waste.slice(0, 5).join(", ")}`);
  for (const name of ["typescript", "vitest", "tsx", "knip", "oxlint", "examples"]) {
    const found = ours.find((path) => path.startsWith(`app/node_modules/${name}/`));
    expectThat(found === undefined, `it has the development package ${name}`);
  }
  const gpu = ours.filter((path) => /\/libggml-(cuda|vulkan|metal)\.so$/.test(path));
  expectThat(gpu.join() === target.gpuLibrary, `its GPU libraries are ${gpu.join(", ")}`);
  const twice = ours.filter((path) => path.endsWith("libggml-cpu-haswell.so") && !isLink(root, path));
  expectThat(twice.length === 1, `the CPU's variants are there ${twice.length} times`);
  return `${ours.length} files of the program`;
}

function isLink(root: string, path: string): boolean {
  return readdirSync(join(root, dirname(path)), { withFileTypes: true }).some(
    (entry) => entry.name === basename(path) && entry.isSymbolicLink(),
  );
}

function checkBill(files: readonly string[], root: string, target: Target): string {
  const path = "usr/share/doc/worker-higgs-audio/sbom.cdx.json";
  expectThat(files.includes(path), `${path} is missing`);
  const bill = JSON.parse(readFileSync(join(root, path), "utf8")) as Bill;
  expectThat(bill.bomFormat === "CycloneDX", "it is not CycloneDX");
  const listed = new Set(bill.components.map(({ purl }) => purl));
  const manifests = files.filter((file) => /^app\/node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(file));
  expectThat(manifests.length > 0, "no package was found");
  for (const manifest of manifests) {
    const { name, version } = JSON.parse(readFileSync(join(root, manifest), "utf8")) as {
      name: string;
      version: string;
    };
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    expectThat(listed.has(purl), `${purl} is in the image and not in the bill`);
  }
  const wheels = bill.components.filter(({ purl }) => purl.startsWith("pkg:pypi/nvidia-"));
  expectThat(wheels.length === (target.name === "vulkan" ? 0 : 2), `it lists ${wheels.length} wheels`);
  expectThat(
    wheels.every(({ hashes }) => hashes?.length === 1),
    "a wheel has no hash",
  );
  return `${listed.size} components`;
}

function checkLinking(library: string, root: string, target: Target): string {
  const { missing, unresolved } = linkingOf(library, root);
  const surplus = missing.filter((name) => !target.ofTheDriver.includes(name));
  expectThat(surplus.length === 0, `the image lacks ${surplus.join(", ")}`);
  const open = unresolved.filter((name) => !target.driverSymbols.test(name));
  expectThat(open.length === 0, `nothing defines ${open.slice(0, 10).join(", ")}`);
  return `${unresolved.length} symbols are left to the driver`;
}

async function describeLibrary(
  library: string,
  root: string,
  { name, gpuLibrary, ofTheDriver }: Target,
  cuobjdump: string,
): Promise<MeasuredLibrary> {
  const packageFolder = gpuLibrary.split("/").slice(0, 4).join("/");
  const manifest = readFileSync(join(root, packageFolder, "package.json"), "utf8");
  const installed = JSON.parse(manifest) as { name: string; version: string };
  return {
    name: basename(library),
    from: `${installed.name} ${installed.version}`,
    bytes: statSync(library).size,
    needs: neededLibraries(library).filter(
      (needed) => /^lib(cu|nv|vulkan)/.test(needed) && !ofTheDriver.includes(needed),
    ),
    ofTheDriver,
    code: name === "vulkan" ? null : await cudaCodeOf(library, cuobjdump),
  };
}

/** What lies below the Dockerfile's own layers is the base. */
function namedLayers(history: readonly HistoryEntry[], target: Target): MeasuredLayer[] {
  const sizes = history
    .map(({ size }) => size)
    .filter((size) => size >= MIN_LAYER_BYTES)
    .toReversed();
  const names = LAYERS[target.name];
  const base = sizes.slice(0, sizes.length - names.length).reduce((sum, size) => sum + size, 0);
  const own = sizes.slice(sizes.length - names.length);
  return [{ what: "base: Debian", bytes: base }, ...own.map((bytes, index) => ({ what: names[index] ?? "", bytes }))];
}

/** Paths of all files and links below a folder, without following links. */
function filesBelow(root: string): string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}
