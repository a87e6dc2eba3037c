import { type ChildProcess, spawn } from "node:child_process";

/** Processes that take one core each: busy loops bound to core 0, 1 …, of the priority of this process. */
export class BusyCores implements Disposable {
  readonly #loops: readonly ChildProcess[];

  constructor(count: number) {
    this.#loops = Array.from({ length: count }, (_, core) =>
      spawn("taskset", ["--cpu-list", String(core), "sh", "-c", "while :; do :; done"], { stdio: "ignore" }),
    );
  }

  [Symbol.dispose](): void {
    for (const loop of this.#loops) loop.kill("SIGKILL");
  }
}
