import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { execPath, env as ownEnv } from "node:process";
import { vi } from "vitest";

const MAIN = join(import.meta.dirname, "../main.ts");
const DEMO = join(import.meta.dirname, "../../../../demo-checkpoint/checkpoint");

export interface ServedDemo {
  readonly process: ChildProcess;
  /** Without a slash at the end. */
  readonly url: string;
  /** All that it has written so far. */
  readonly output: () => string;
}

/** Starts `higgs serve` with the demo checkpoint as a process of its own; resolves when it listens. */
export async function serveDemo(env: Readonly<Record<string, string>>, timeoutMs: number): Promise<ServedDemo> {
  const args = ["--import", "tsx", "--conditions=source", MAIN, "serve", "--host", "127.0.0.1", "--port", "0"];
  const server = spawn(execPath, [...args, "--model", DEMO], {
    cwd: import.meta.dirname,
    env: {
      PATH: ownEnv["PATH"],
      HOME: "/dev/null/nowhere",
      HIGGS_VOLUME_DIR: "/nowhere",
      HIGGS_DEVICE: "cpu",
      HIGGS_THREADS: "1",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (data: Buffer) => (output += data.toString()));
  const url = await vi.waitFor(() => {
    const [, found] = /listening on (http:[^\s"]+)/.exec(output) ?? [];
    if (found === undefined) throw new Error(`the server does not start:\n${output}`);
    return found;
  }, timeoutMs);
  return { process: server, url, output: () => output };
}
