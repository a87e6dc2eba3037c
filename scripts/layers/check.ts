import { dirname, join, relative } from "node:path/posix";
import { findCycles } from "./cycles.ts";
import { readImports } from "./imports.ts";
import { PACKAGE_RULES, RESTRICTED_LIBRARIES, TEST_SUPPORT_FOLDER, type PackageRule } from "./rules.ts";

export interface SourceFile {
  /** Relative to the repository root, with forward slashes. */
  readonly path: string;
  readonly source: string;
}

export interface LayerReport {
  readonly files: number;
  readonly imports: number;
  /** `from -> to`, each pair of packages once. */
  readonly arrows: readonly string[];
  readonly problems: readonly string[];
}

/** `exportsOf` gives the keys of a package's `exports` field (`.`, `./emulator`), for the check of deep imports. */
export function checkLayers(
  files: readonly SourceFile[],
  exportsOf: (packageName: string) => readonly string[],
): LayerReport {
  const arrows = new Set<string>();
  const problems: string[] = [];
  const fileArrows = new Map<string, string[]>();
  let imports = 0;
  for (const file of files) {
    const owner = ownerOf(file.path);
    if (owner === null) {
      problems.push(`${file.path}: is not in a declared package (add it to scripts/layers/rules.ts)`);
      continue;
    }
    const undeclared = undeclaredFolder(file.path, owner.rule);
    if (undeclared !== null) problems.push(`${file.path}: the folder src/${undeclared} has no place in the order`);
    const targets: string[] = [];
    fileArrows.set(file.path, targets);
    for (const { specifier, line } of readImports(file.path, file.source)) {
      imports++;
      if (specifier.startsWith(".")) targets.push(join(dirname(file.path), specifier));
      const problem = judge(file.path, owner, specifier, exportsOf, arrows);
      if (problem !== null) problems.push(`${file.path}:${line}: ${problem}`);
    }
  }
  for (const cycle of findCycles(fileArrows))
    problems.push(`${cycle.join(" -> ")}: files import each other in a circle`);
  return { files: files.length, imports, arrows: [...arrows].sort(), problems };
}

interface Owner {
  readonly name: string;
  readonly rule: PackageRule;
}

function ownerOf(path: string): Owner | null {
  const entry = Object.entries(PACKAGE_RULES).find(([, rule]) => path.startsWith(`${rule.folder}/`));
  return entry === undefined ? null : { name: entry[0], rule: entry[1] };
}

function judge(
  path: string,
  owner: Owner,
  specifier: string,
  exportsOf: (packageName: string) => readonly string[],
  arrows: Set<string>,
): string | null {
  if (specifier.startsWith(".")) return judgeRelative(path, owner, specifier);
  if (specifier.startsWith("node:")) return null;
  const name = packageNameOf(specifier);
  const allowedOwners = RESTRICTED_LIBRARIES[name];
  if (allowedOwners !== undefined && !allowedOwners.includes(owner.name)) {
    return `imports ${name}, which only ${allowedOwners.join(", ")} may import`;
  }
  if (PACKAGE_RULES[name] === undefined) return null;
  if (name === owner.name) return `imports its own package by name (${specifier}); use a relative path`;
  arrows.add(`${owner.name} -> ${name}`);
  if (!owner.rule.mayImport.includes(name)) return `imports ${name}, and the package map has no such arrow`;
  const subpath = specifier === name ? "." : `.${specifier.slice(name.length)}`;
  if (!exportsOf(name).includes(subpath)) return `imports ${specifier}, which ${name} does not export`;
  if (isTestSupport(subpath) && !isTest(path)) return `${specifier} is for tests only`;
  return null;
}

function judgeRelative(path: string, owner: Owner, specifier: string): string | null {
  const target = join(dirname(path), specifier);
  if (!target.startsWith(`${owner.rule.folder}/`)) return `${specifier} leaves the package`;
  if (isTestSupport(target) && !isTest(path)) return `${specifier} is for tests only`;
  const from = placeOf(path, owner.rule);
  const to = placeOf(target, owner.rule);
  if (isTest(path) || from === null || to === null || from.folder === to.folder) return null;
  if (to.level < from.level || (to.level === from.level && to.folder.endsWith(".ts"))) return null;
  return `src/${from.folder} may not import ${to.folder === "" ? "files of src itself" : `src/${to.folder}`}`;
}

/**
 * Folder of `src` and its height; null where a folder has no place. A file directly in `src` is a folder of its own if the
 * order names it; all others have the folder "".
 */
function placeOf(path: string, rule: PackageRule): { readonly folder: string; readonly level: number } | null {
  const { folder, file } = partsOf(path, rule);
  const levelOf = (name: string) =>
    rule.order.findIndex((entry) => (typeof entry === "string" ? entry === name : entry.includes(name)));
  if (folder === "") {
    const level = levelOf(file);
    return level === -1 ? { folder, level: rule.order.length } : { folder: file, level };
  }
  const level = levelOf(folder);
  return level === -1 ? null : { folder, level };
}

function undeclaredFolder(path: string, rule: PackageRule): string | null {
  if (isTest(path) || !path.startsWith(`${rule.folder}/src/`)) return null;
  return placeOf(path, rule) === null ? partsOf(path, rule).folder : null;
}

/** The first folder below `src`, "" for files directly in it, and the file's name. */
function partsOf(path: string, rule: PackageRule): { readonly folder: string; readonly file: string } {
  const segments = relative(`${rule.folder}/src`, path).split("/");
  return { folder: segments.length > 1 ? (segments[0] ?? "") : "", file: segments.at(-1) ?? "" };
}

function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function isTestSupport(path: string): boolean {
  return path.split("/").includes(TEST_SUPPORT_FOLDER);
}

function isTest(path: string): boolean {
  return (
    /\.(test|test-d)\.ts$/.test(path) || isTestSupport(path) || /^(packages|apps)\/[^/]+\/(test|scripts)\//.test(path)
  );
}
