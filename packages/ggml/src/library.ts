import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { GgmlError } from "./errors.ts";
import { findRebuiltCpu, type RebuiltCpu } from "./rebuilt-cpu.ts";

/** Which build of the library: the plain one, or one with a device backend beside the CPU's. */
export type LibraryFlavor = "cpu" | "cuda13" | "cuda12" | "vulkan";

/** Where the parts of one ggml build are. */
export interface LibraryFiles {
  readonly directory: string;
  /** libggml-base: tensors, graphs, buffers, gguf. */
  readonly base: string;
  /** libggml: the registry of backends. */
  readonly registry: string;
  /** A device backend that lies elsewhere and is loaded after those of the folder; null when there is none. */
  readonly backend: string | null;
  /** CPU backends to take before those of the folder; null when there are none. */
  readonly rebuiltCpu: RebuiltCpu | null;
}

const PACKAGE_SCOPE = "@node-llama-cpp";
const PACKAGE_SUFFIXES: Readonly<Record<LibraryFlavor, string>> = {
  cpu: "",
  cuda13: "-cuda",
  cuda12: "-cuda-ext",
  vulkan: "-vulkan",
};

/** npm package that carries the prebuilt library, e.g. `@node-llama-cpp/linux-x64-cuda`; null when there is none. */
export function libraryPackage(platform: NodeJS.Platform, arch: string, flavor: LibraryFlavor): string | null {
  const suffix = PACKAGE_SUFFIXES[flavor];
  if (platform === "linux" && arch === "x64") return `${PACKAGE_SCOPE}/linux-x64${suffix}`;
  if (platform === "linux" && arch === "arm64" && flavor === "cpu") return `${PACKAGE_SCOPE}/linux-arm64`;
  if (platform === "darwin" && arch === "arm64" && flavor === "cpu") return `${PACKAGE_SCOPE}/mac-arm64-metal`;
  if (platform === "darwin" && arch === "x64" && flavor === "cpu") return `${PACKAGE_SCOPE}/mac-x64`;
  if (platform === "win32" && arch === "x64") return `${PACKAGE_SCOPE}/win-x64${suffix}`;
  return null;
}

/**
 * Finds the ggml build to load: `directory` when given, otherwise the npm package of this platform. The package for CUDA 12
 * holds nothing but the backend, which goes with the plain package. The plain package comes with our own CPU backends.
 *
 * @throws {GgmlError} `library-not-found` when the package is not installed or the folder lacks the files
 */
export function findLibrary(
  options: { directory?: string | undefined; flavor?: LibraryFlavor | undefined } = {},
): LibraryFiles {
  if (options.directory !== undefined) return filesIn(options.directory, `the folder ${options.directory}`);
  const flavor = options.flavor ?? "cpu";
  const packageName = libraryPackage(process.platform, process.arch, flavor);
  if (packageName === null) {
    throw new GgmlError(
      "library-not-found",
      "load ggml",
      `no prebuilt ${flavor} library exists for ${process.platform}-${process.arch}; ` +
        `point HIGGS_GGML_DIR at a folder with one`,
    );
  }
  const directory = binariesOf(packageName);
  const backend = deviceBackendIn(path.join(directory, "fallback"));
  if (backend !== null) return { ...findLibrary({ flavor: "cpu" }), backend, rebuiltCpu: null };
  const files = filesIn(directory, `the npm package ${packageName}`);
  return flavor === "cpu" ? { ...files, rebuiltCpu: findRebuiltCpu(process.platform, process.arch) } : files;
}

/** The file of a device backend (CUDA, Vulkan) in a folder; null when there is none. */
export function deviceBackendIn(directory: string): string | null {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const name = names.find((candidate) => /^(lib)?ggml-(cuda|vulkan)\.(so|dll)$/.test(candidate));
  return name === undefined ? null : path.join(directory, name);
}

/** Version of the prebuilt libraries that this package was made for; flavors of one platform have the same. */
function pinnedVersion(): string {
  const manifest = createRequire(import.meta.url)("../package.json") as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const plain = libraryPackage(process.platform, process.arch, "cpu");
  return (plain === null ? undefined : manifest.optionalDependencies[plain]) ?? "latest";
}

function binariesOf(packageName: string): string {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(packageName);
  } catch (error) {
    throw new GgmlError(
      "library-not-found",
      "load ggml",
      `the npm package ${packageName} is not installed; ` +
        `run \`npm install ${packageName}@${pinnedVersion()}\` or name a folder that holds a ggml build`,
      error,
    );
  }
  const bins = path.join(path.dirname(entry), "..", "bins");
  const inner = existsSync(bins) ? readdirSync(bins)[0] : undefined;
  return inner === undefined ? bins : path.join(bins, inner);
}

function filesIn(directory: string, what: string): LibraryFiles {
  const status = statSync(directory, { throwIfNoEntry: false });
  if (status?.isDirectory() === false) {
    throw new GgmlError("library-not-found", "load ggml", `it is not a folder (got ${directory})`);
  }
  const names = status === undefined ? [] : readdirSync(directory);
  const base = names.find((name) => /^(lib)?ggml-base\.(so|dylib|dll)$/.test(name));
  const registry = names.find((name) => /^(lib)?ggml(\.[\w.]+)?\.(so|dylib|dll)$/.test(name));
  if (base === undefined || registry === undefined) {
    throw new GgmlError("library-not-found", "load ggml", `${what} holds no ggml library (looked in ${directory})`);
  }
  return {
    directory,
    base: path.join(directory, base),
    registry: path.join(directory, registry),
    backend: null,
    rebuiltCpu: null,
  };
}
