import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly timeoutMs?: number | undefined;
  /** Gets all output too, as it comes. */
  readonly logFile?: string | undefined;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end and returns what it printed, whatever its exit code. */
export function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.env };
    const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: options.timeoutMs });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (options.logFile !== undefined) writeFileSync(options.logFile, text, { flag: "a" });
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (options.logFile !== undefined) writeFileSync(options.logFile, text, { flag: "a" });
    });
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
}

/**
 * The same for a program that must succeed; resolves with its standard output.
 *
 * @throws {Error} with the end of what it printed when its exit code is not 0
 */
export async function mustRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(program, args, options);
  if (exitCode === 0) return stdout;
  const end = `${stdout}\n${stderr}`.trimEnd().split("\n").slice(-15).join("\n");
  throw new Error(`${program} ${args.slice(0, 3).join(" ")} … ended with ${exitCode ?? "no exit code"}:\n${end}`);
}

/** Those of the programs that are not installed. */
export function missingPrograms(names: readonly string[]): string[] {
  return names.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
}
