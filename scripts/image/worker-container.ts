import { setTimeout as sleep } from "node:timers/promises";
import { type ContainerHost, limitOptions } from "./container-host.ts";

export interface WorkerOptions {
  readonly image: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** `HOST:CONTAINER[:ro]` */
  readonly volumes: readonly string[];
  /** `uid:gid`; default: root. */
  readonly user?: string | undefined;
  /** Only `/tmp` can be written to, besides the volumes. */
  readonly isReadOnly?: boolean | undefined;
}

const POLL_MS = 100;
const STOP_LIMIT_SECONDS = 120;

/** A running worker of an image. */
export class WorkerContainer implements AsyncDisposable {
  readonly #host: ContainerHost;
  readonly #name: string;

  private constructor(host: ContainerHost, name: string) {
    this.#host = host;
    this.#name = name;
  }

  static async start(host: ContainerHost, options: WorkerOptions): Promise<WorkerContainer> {
    const { image, name, env, volumes, user, isReadOnly } = options;
    const args = [
      ["run", "--detach", "--name", name],
      limitOptions(),
      Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      volumes.flatMap((volume) => ["--volume", volume]),
      user === undefined ? [] : ["--user", user],
      isReadOnly === true ? ["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp:rw,mode=1777"] : [],
      [image],
    ];
    await host.podman(args.flat());
    return new WorkerContainer(host, name);
  }

  /** All that it wrote, on both outputs. */
  async logs(): Promise<string> {
    const { stdout, stderr } = await this.#host.tryPodman(["logs", this.#name]);
    return stdout + stderr;
  }

  /** Runs the image's own HEALTHCHECK, as a container host does at every interval. */
  async isHealthy(): Promise<boolean> {
    return (await this.#host.tryPodman(["healthcheck", "run", this.#name])).exitCode === 0;
  }

  /** Waits until the health check says so. */
  async waitUntilHealthy(timeoutMs: number): Promise<void> {
    for (const endMs = performance.now() + timeoutMs; performance.now() < endMs; await sleep(POLL_MS)) {
      if (await this.isHealthy()) return;
      if (!(await this.#isRunning())) throw new Error(`the worker ended:\n${(await this.logs()).slice(-2_000)}`);
    }
    throw new Error(`the worker is not healthy after ${timeoutMs} ms:\n${(await this.logs()).slice(-2_000)}`);
  }

  /** Runs a program in it; resolves with its exit code and output. */
  run(args: readonly string[]): ReturnType<ContainerHost["tryPodman"]> {
    return this.#host.tryPodman(["exec", this.#name, ...args]);
  }

  /** Sends a signal to the worker, and to no other process of the container. */
  async signal(signal: "SIGTERM" | "SIGSTOP" | "SIGCONT"): Promise<void> {
    const pid = Number((await this.#host.podman(["inspect", "--format", "{{.State.Pid}}", this.#name])).trim());
    process.kill(pid, signal);
  }

  /** Stops it as container hosts do, with the image's own stop signal, and resolves with the worker's exit code. */
  async stop(): Promise<number> {
    await this.#host.podman(["stop", "--time", String(STOP_LIMIT_SECONDS), this.#name]);
    return Number((await this.#host.podman(["inspect", "--format", "{{.State.ExitCode}}", this.#name])).trim());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.tryPodman(["rm", "--force", "--time", "0", this.#name]);
  }

  async #isRunning(): Promise<boolean> {
    const { stdout } = await this.#host.tryPodman(["inspect", "--format", "{{.State.Running}}", this.#name]);
    return stdout.trim() === "true";
  }
}
