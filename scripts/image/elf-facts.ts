import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** The names in `libcublasLt` take some megabytes of text. */
const MAX_OUTPUT_BYTES = 1024 ** 3;

/** Where the loader of Debian on x86-64 looks after a library's own folder. */
const SYSTEM_FOLDERS = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib", "usr/local/lib"];

function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8", maxBuffer: MAX_OUTPUT_BYTES });
}

/** Libraries that a shared library asks the loader for, such as `libcudart.so.12`. Needs `readelf`. */
export function neededLibraries(path: string): string[] {
  return parseNeeded(run("readelf", ["--dynamic", "--wide", path]));
}

/** The names in the output of `readelf --dynamic`. */
export function parseNeeded(output: string): string[] {
  return [...output.matchAll(/\(NEEDED\)[^[]*\[([^\]]+)\]/g)].map((match) => match[1] ?? "");
}

/** Names in the output of `nm --dynamic`, without their versions; weak references may stay unresolved and are left out. */
export function parseSymbols(output: string): string[] {
  return output.split("\n").flatMap((line) => {
    const match = /^\s*(?:[0-9a-f]+\s+)?([A-Za-z])\s+([^@\s]+)/.exec(line);
    const [, kind, name] = match ?? [];
    return kind === undefined || name === undefined || kind === "w" || kind === "v" ? [] : [name];
  });
}

export interface Linking {
  /** Libraries that are needed and not in the image. */
  readonly missing: readonly string[];
  /** Symbols that no library of the image defines. */
  readonly unresolved: readonly string[];
}

/**
 * What the loader would not find of a library and of all that it needs, below the root folder of an image. Needs `readelf`
 * and `nm`.
 */
export function linkingOf(library: string, root: string): Linking {
  const found = new Map<string, string>();
  const missing = new Set<string>();
  const waiting = [library];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const real = realpathSync(path);
    if (found.has(real)) continue;
    found.set(real, path);
    for (const name of neededLibraries(real)) {
      const folders = [dirname(path), ...SYSTEM_FOLDERS.map((folder) => join(root, folder))];
      const place = folders.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
      if (place === undefined) missing.add(name);
      else waiting.push(place);
    }
  }
  const files = [...found.keys()];
  const defined = new Set(files.flatMap((file) => parseSymbols(run("nm", ["--dynamic", "--defined-only", file]))));
  const wanted = files.flatMap((file) => parseSymbols(run("nm", ["--dynamic", "--undefined-only", file])));
  const unresolved = new Set(wanted.filter((name) => !defined.has(name)));
  return { missing: [...missing].toSorted(), unresolved: [...unresolved].toSorted() };
}
