import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What the pruning reads of a package.json. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A package of the image. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Its folder; of our own packages the one in the workspace, not the link to it. */
  readonly directory: string;
  /** Where `import` finds it, below the root: `node_modules/…`. */
  readonly link: string;
  /** Ours, with the entries of its `files`. */
  readonly own: readonly string[] | null;
}

/** Builds of ggml that never run on the image's platform, although npm installs them: their manifests name no platform. */
const FOREIGN_PACKAGE = /^@node-llama-cpp\/(?!linux-x64$)/;

/** Ours: what they name in `files` is what they need, whatever its folders are called. */
const OWN_PACKAGE = /^(@higgs-worker\/|worker-higgs-audio$|runpod-(worker|deploy)$)/;

/** Folders that hold nothing a program needs, in packages of others. */
const IDLE_FOLDERS: ReadonlySet<string> = new Set([
  ".github",
  "__tests__",
  "bench",
  "benchmark",
  "benchmarks",
  "doc",
  "docs",
  "example",
  "examples",
  "test",
  "tests",
]);

/** Texts of licenses stay: almost every license demands it. Some packages have theirs in the README. */
const LICENSE_FILE = /^(licen[cs]e|copying|notice|copyright|readme\.md$)/i;

/** Under the LGPL: whoever gets the image must be able to replace them, so they stay as they were published (decision 0012). */
const WHOLE_PACKAGES: ReadonlySet<string> = new Set(["codec-parser", "mpg123-decoder", "wasm-media-encoders"]);

/** Data sets of the language detector that are not loaded. */
const IDLE_LANGUAGE_DATA = /^src\/ngrams\/(?:large|medium|small)\.js$/;

/** Declarations, sources of compiled code, source maps, compiler state, documents, tests. */
const IDLE_FILE = /(\.[cm]?ts|\.map|\.tsbuildinfo|\.(md|markdown)|\.test\.[cm]?js|\.spec\.[cm]?js|^\.[\w.-]+)$/i;

/** Of ggml's packages: the core, the registry of backends, the CPU's variants. No llama.cpp and no addon for Node. */
const GGML_FILE = /^(libggml(-base|-cpu-[\w.]+|(\.\w+)?\.v[\d.]+)?\.so|_nlcBuildMetadata\.json)$/;

/** The CPU's variants that our own package has too, faster; the older processors' stay. */
const REBUILT_FILE = /^libggml-cpu-(alderlake|cascadelake|haswell|icelake|sapphirerapids|skylakex|zen4)\.so$/;

/**
 * Whether a file goes into the image.
 *
 * @param file path inside its package, with forward slashes
 */
export function isKept(packageName: string, file: string): boolean {
  const parts = file.split("/");
  const name = parts.at(-1) ?? "";
  if (LICENSE_FILE.test(name) || parts.includes("licenses")) return true;
  if (WHOLE_PACKAGES.has(packageName)) return !name.endsWith(".map");
  if (packageName.startsWith("@node-llama-cpp/") && parts[0] === "bins") {
    return GGML_FILE.test(name) && !REBUILT_FILE.test(name);
  }
  if (packageName === "eld" && IDLE_LANGUAGE_DATA.test(file)) return false;
  const isIdle = parts.slice(0, -1).some((folder) => IDLE_FOLDERS.has(folder));
  if (isIdle && !OWN_PACKAGE.test(packageName)) return false;
  return !IDLE_FILE.test(name);
}

/**
 * The packages that a workspace's package needs at run time, itself first: `dependencies` and installed `optionalDependencies`,
 * and theirs. Peer and development dependencies are none.
 *
 * @throws {Error} when one of them is not installed
 */
export function productionPackages(root: string, start: string): InstalledPackage[] {
  const found = new Map<string, InstalledPackage>();
  const waiting = [realpathSync(join(root, start))];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    if (found.has(directory)) continue;
    const manifest = readManifest(directory);
    found.set(directory, describe(root, directory, manifest));
    const optional = Object.keys(manifest.optionalDependencies ?? {});
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const dependency = findInstalled(root, directory, name);
      if (dependency !== null) waiting.push(dependency);
      else if (!optional.includes(name))
        throw new Error(`Cannot find ${name}, which ${manifest.name} needs: run npm ci`);
    }
    for (const name of optional) {
      const dependency = FOREIGN_PACKAGE.test(name) ? null : findInstalled(root, directory, name);
      if (dependency !== null) waiting.push(dependency);
    }
  }
  return [...found.values()];
}

/**
 * The files and folders that the `files` of a package name; `*` may stand for a part of the last name.
 *
 * @throws {Error} when an entry names nothing, or has a form that is not understood: a file would be missing in the image
 */
export function namedFiles(directory: string, files: readonly string[]): string[] {
  return files.flatMap((entry) => {
    const [folder, pattern] = [dirname(entry), basename(entry)];
    if (/[*?[{!]/.test(folder) || /[?[{!]|\*\*/.test(pattern)) {
      throw new Error(`Cannot read "files" of ${directory}: only * in the last name is understood (got ${entry})`);
    }
    const expression = new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`);
    const place = join(directory, folder);
    const names = existsSync(place) ? readdirSync(place).filter((name) => expression.test(name)) : [];
    if (names.length === 0) throw new Error(`Cannot find ${entry}, which "files" of ${directory} names: run the build`);
    return names.map((name) => (folder === "." ? name : `${folder}/${name}`));
  });
}

function describe(root: string, directory: string, { name, version, files = [] }: Manifest): InstalledPackage {
  const inRoot = directory.slice(realpathSync(root).length + 1);
  const isOwn = !inRoot.startsWith("node_modules/");
  return { name, version, directory, link: isOwn ? `node_modules/${name}` : inRoot, own: isOwn ? files : null };
}

/** As Node looks for a package: in the nearest `node_modules` upwards that has it. */
function findInstalled(root: string, from: string, name: string): string | null {
  const top = realpathSync(root);
  for (let folder = from; folder.startsWith(top); folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
  }
  return null;
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
}
