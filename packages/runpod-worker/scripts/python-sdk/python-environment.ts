import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The version of the official SDK that the specification was read from. */
export const SDK_VERSION = "1.12.0";

const REPOSITORY = join(import.meta.dirname, "..", "..", "..", "..");
const FOLDER = join(REPOSITORY, ".cache", `python-sdk-${SDK_VERSION}`);
const CANDIDATES = ["python3.13", "python3.12", "python3.11", "python3.10", "python3"];
const INSTALL_LIMIT_MS = 300_000;

/** A Python with the official SDK, or why it is missing. */
export type PythonEnvironment =
  | { readonly isAvailable: true; readonly python: string; readonly version: string }
  | { readonly isAvailable: false; readonly reason: string };

/** Makes a virtual environment with the SDK in the repository's cache folder, or finds the one made before. */
export async function preparePython(): Promise<PythonEnvironment> {
  const python = join(FOLDER, "bin", "python");
  try {
    if (!(await exists(python))) {
      const base = await findPython();
      if (base === undefined) return { isAvailable: false, reason: "Python 3.10 or newer is missing" };
      await run(base, ["-m", "venv", FOLDER], { timeout: INSTALL_LIMIT_MS });
    }
    if (!(await hasSdk(python))) {
      const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `runpod==${SDK_VERSION}`];
      await run(python, install, { timeout: INSTALL_LIMIT_MS });
    }
    const { stdout } = await run(python, ["-c", "import sys; print(sys.version.split()[0])"]);
    return { isAvailable: true, python, version: stdout.trim() };
  } catch (error) {
    const [firstLine] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { isAvailable: false, reason: `the SDK could not be installed: ${firstLine}` };
  }
}

async function findPython(): Promise<string | undefined> {
  for (const name of CANDIDATES) {
    try {
      await run(name, ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 10))"]);
      return name;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}

async function hasSdk(python: string): Promise<boolean> {
  const check = `import importlib.metadata as m, sys; sys.exit(m.version("runpod") != "${SDK_VERSION}")`;
  return run(python, ["-c", check]).then(
    () => true,
    () => false,
  );
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
