import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** How the engine's process is started. */
export interface EngineEntry {
  readonly path: string;
  readonly execArgv: readonly string[];
}

/**
 * The engine's main file beside this one: compiled beside compiled code, a source beside sources. Sources need the loader
 * for TypeScript, which only a checkout has.
 */
export function findEngineEntry(): EngineEntry {
  const extension = extname(import.meta.filename);
  const path = join(import.meta.dirname, `engine-process-main${extension}`);
  if (extension === ".js") return { path, execArgv: [] };
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return { path, execArgv: ["--conditions=source", "--import", loader] };
}
