import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { missingPrograms, mustRun, runProgram, type RunOptions } from "./programs.ts";

/** Debian's packages for building and running images without a daemon. */
const PACKAGES: Readonly<Record<string, string>> = {
  buildah: "buildah",
  podman: "podman",
  runc: "runc",
  mmdebstrap: "mmdebstrap",
  readelf: "binutils",
  python3: "python3",
};

/** More than a container here needs; raising a limit takes a capability that root may lack. */
const MAX_PROCESSES = 16_384;
const MAX_OPEN_FILES = 65_536;

/** Images and containers of one check, apart from those of the machine's user. */
export class ContainerHost {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;

  /** @param folder for all layers: some gigabytes */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    const configuration = join(folder, "storage.conf");
    const places = { driver: "overlay", graphroot: join(folder, "graph"), runroot: join(folder, "run") };
    const lines = Object.entries(places).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    writeFileSync(configuration, `[storage]\n${lines.join("\n")}\n`);
    this.#env = { CONTAINERS_STORAGE_CONF: configuration };
  }

  buildah(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return mustRun("buildah", args, { ...options, env: { ...this.#env, ...options.env } });
  }

  podman(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return mustRun("podman", ["--runtime", "runc", ...args], { ...options, env: { ...this.#env, ...options.env } });
  }

  /** For commands whose exit code is the answer. */
  tryPodman(args: readonly string[], options: RunOptions = {}): ReturnType<typeof runProgram> {
    return runProgram("podman", ["--runtime", "runc", ...args], { ...options, env: this.#env });
  }

  /** Calls `use` with the folder where an image's files can be read. */
  async withFiles<T>(image: string, use: (folder: string) => Promise<T>): Promise<T> {
    const folder = (await this.podman(["image", "mount", image])).trim();
    try {
      return await use(folder);
    } finally {
      await this.podman(["image", "unmount", image]);
    }
  }

  /** Removes everything. */
  async clear(): Promise<void> {
    await this.tryPodman(["rm", "--all", "--force", "--time", "0"]);
    await this.tryPodman(["rmi", "--all", "--force"]);
    await runProgram("buildah", ["rm", "--all"], { env: this.#env });
    await runProgram("buildah", ["rmi", "--all", "--force"], { env: this.#env });
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Why images cannot be built and run here, or null; installs Debian's packages where root can. */
export async function hostProblem(): Promise<string | null> {
  if (process.platform !== "linux" || process.arch !== "x64") return "the images are for Linux on x86-64";
  if (process.getuid?.() !== 0) return "it needs root";
  const missing = missingPrograms(Object.keys(PACKAGES));
  if (missing.length === 0) return null;
  if (missingPrograms(["apt-get"]).length > 0) return `${missing.join(", ")} are not installed`;
  const names = missing.map((name) => PACKAGES[name] ?? name);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await runProgram("apt-get", ["update", "-qq"], { env });
  await runProgram("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...names, "debian-archive-keyring"], {
    env,
  });
  const still = missingPrograms(missing);
  return still.length === 0 ? null : `${still.join(", ")} cannot be installed`;
}

/** Options of `podman run` that make it work without systemd and without the right to raise limits. */
export function limitOptions(): string[] {
  const hardLimit = (letter: string, most: number): number => {
    const text = execFileSync("bash", ["-c", `ulimit -H${letter}`], { encoding: "utf8" }).trim();
    return text === "unlimited" ? most : Math.min(Number(text), most);
  };
  const [files, processes] = [hardLimit("n", MAX_OPEN_FILES), hardLimit("u", MAX_PROCESSES)];
  const limits = ["--ulimit", `nofile=${files}:${files}`, "--ulimit", `nproc=${processes}:${processes}`];
  return ["--network", "host", "--health-interval", "disable", "--health-start-period", "0s", ...limits];
}
