import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { env as ownEnv, execPath } from "node:process";
import { onTestFinished } from "vitest";
import { StubPlatform } from "./stub-platform.ts";

const PACKAGE_FOLDER = join(import.meta.dirname, "..", "..");

/** A worker in its own process, from the sources, with its own platform; both end with the test. */
export class WorkerProcess {
  readonly platform: StubPlatform;
  readonly child: ChildProcess;
  /** Resolves with the exit code, or the name of the signal that killed it. */
  readonly exit: Promise<number | string>;
  output = "";

  private constructor(platform: StubPlatform, child: ChildProcess) {
    this.platform = platform;
    this.child = child;
    child.stdout?.on("data", (data: Buffer) => (this.output += data.toString("utf8")));
    child.stderr?.on("data", (data: Buffer) => (this.output += data.toString("utf8")));
    this.exit = new Promise((resolve) => {
      child.on("exit", (code, signal) => resolve(signal ?? code ?? -1));
    });
  }

  static async open(
    env: Readonly<Record<string, string | undefined>> = {},
    prepare: (platform: StubPlatform) => void = () => {},
    argv: readonly string[] = [],
  ): Promise<WorkerProcess> {
    const platform = await StubPlatform.open();
    prepare(platform);
    const fixture = join(PACKAGE_FOLDER, "test", "fixtures", "worker-process.ts");
    const child = spawn(execPath, ["--import", "tsx", "--conditions=source", fixture, ...argv], {
      cwd: PACKAGE_FOLDER,
      env: { PATH: ownEnv["PATH"], ...platform.env(env) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const worker = new WorkerProcess(platform, child);
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await worker.exit;
      await platform.close();
    });
    return worker;
  }

  /** Waits for the process to start and do something, which is slow on a busy machine. */
  async until(condition: () => boolean, what: string): Promise<void> {
    try {
      await this.platform.until(condition, what);
    } catch (error) {
      throw new Error(`${String(error)}\nOutput:\n${this.output}`, { cause: error });
    }
  }
}
