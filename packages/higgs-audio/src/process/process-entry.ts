import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** How a process of this package is started. */
export interface ProcessEntry {
  readonly path: string;
  readonly execArgv: readonly string[];
}

/**
 * A main file in a folder of this package: compiled beside compiled code, a source beside sources. Sources need the loader
 * for TypeScript, which only a checkout has. `name` has no extension.
 */
export function findProcessEntry(folder: string, name: string): ProcessEntry {
  const extension = extname(import.meta.filename);
  const path = join(folder, `${name}${extension}`);
  if (extension === ".js") return { path, execArgv: [] };
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return { path, execArgv: ["--conditions=source", "--import", loader] };
}
