import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROOT = join(import.meta.dirname, "..", "..");

export interface DemoServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly process: ChildProcess;
  /** Ends it as a stop on a terminal does, and waits for the end. */
  stop(): Promise<number | null>;
}

/**
 * Starts `higgs serve` with the demo model on a free port.
 *
 * @param root folder of another checkout that is built
 * @throws {Error} if it ends before it says where it listens
 */
export async function startDemoServer(env: Readonly<Record<string, string>> = {}, root = ROOT): Promise<DemoServer> {
  const child = spawn(process.execPath, ["apps/worker/bin/higgs.js", "serve", "--port", "0"], {
    cwd: root,
    env: { ...process.env, HIGGS_DEVICE: "cpu", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on("line", (line) => {
        const [found] = /http:\/\/[\w.[\]:]+:\d+/.exec(line) ?? [];
        if (found !== undefined) resolve(found);
      });
    }
    void exited.then((code) => reject(new Error(`higgs serve ended with ${code}`)));
  });
  return {
    url,
    process: child,
    stop: () => {
      child.kill("SIGTERM");
      return exited;
    },
  };
}
