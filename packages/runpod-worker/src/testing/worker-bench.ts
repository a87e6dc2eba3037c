import { onTestFinished } from "vitest";
import type { WorkerTiming } from "../config/worker-timing.ts";
import type { Handler } from "../jobs/handler.ts";
import type { StartOptions } from "../start-options.ts";
import { start } from "../start.ts";
import { FakeSurface } from "./fake-surface.ts";
import { StubPlatform } from "./stub-platform.ts";

/** Waits as short as possible without changing the behavior. */
const QUICK_TIMING: Partial<WorkerTiming> = {
  pollBackOffMs: 20,
  pollBackOffMaxMs: 100,
  stopPauseMs: 20,
  postBackOffMs: 10,
  postBackOffMaxMs: 40,
  takeLingerMs: 50,
  quickAnswerMs: 10,
  concurrencyPollMs: 20,
  faultExitMs: 1_000,
  refreshExitMs: 100,
};

type Environment = Readonly<Record<string, string | undefined>>;

export interface BenchOptions extends Partial<Omit<StartOptions, "handler" | "surface">> {
  /** Changes to the stub's environment, possibly using its address. */
  readonly env?: Environment | ((platform: StubPlatform) => Environment);
  readonly argv?: readonly string[];
}

/** A worker in this process with its own platform; both end with the test. */
export class WorkerBench {
  readonly platform: StubPlatform;
  readonly surface: FakeSurface;
  /** Resolves with the worker's exit code. */
  readonly exit: Promise<number>;

  private constructor(platform: StubPlatform, surface: FakeSurface, exit: Promise<number>) {
    this.platform = platform;
    this.surface = surface;
    this.exit = exit;
  }

  /** Starts a worker; `prepare` may queue jobs and script answers before its first request. */
  static async open(
    handler: Handler<never>,
    { env = {}, argv = [], timing, ...options }: BenchOptions = {},
    prepare: (platform: StubPlatform) => void = () => {},
  ): Promise<WorkerBench> {
    const platform = await StubPlatform.open();
    prepare(platform);
    const surface = new FakeSurface({ argv, env: platform.env(typeof env === "function" ? env(platform) : env) });
    const exit = start({
      ...options,
      handler: handler as Handler,
      surface,
      timing: { ...QUICK_TIMING, ...timing },
    });
    const bench = new WorkerBench(platform, surface, exit);
    onTestFinished(() => bench.#close());
    return bench;
  }

  /** Waits for this many final posts and returns them. */
  async results(count: number): Promise<readonly { readonly id: string; readonly body: unknown }[]> {
    const { platform } = this;
    await platform.until(() => platform.results.length >= count, `${count} results`);
    return platform.results.map(({ path, json: body }) => ({
      id: decodeURIComponent(path.split("/").at(-1) ?? ""),
      body,
    }));
  }

  async #close(): Promise<void> {
    this.surface.signal();
    this.surface.signal();
    await this.exit;
    await this.platform.close();
  }
}
