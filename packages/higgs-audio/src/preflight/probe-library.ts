import { fork } from "node:child_process";
import { HiggsError } from "@higgs-worker/base";
import { OutputTail } from "../process/output-tail.ts";
import { findProcessEntry } from "../process/process-entry.ts";
import type { ProbeMessage, ProbeOutcome, ProbeRequest } from "./probe-messages.ts";

export interface ProbeOptions {
  /** The process's environment; default: this one's. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** After this the process is killed: a driver may hang. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const OUTPUT_TAIL_CHARS = 500;

/**
 * Tries a build of ggml in a process of its own.
 *
 * @returns the device, or why the build cannot be used here: also when the process crashed or hung
 * @throws {HiggsError} CANCELLED when the signal fires
 */
export async function probeLibrary(request: ProbeRequest, options: ProbeOptions): Promise<ProbeOutcome> {
  const { environment, timeoutMs, signal } = options;
  const { path, execArgv } = findProcessEntry(import.meta.dirname, "library-probe-main");
  const child = fork(path, {
    execArgv: [...execArgv],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    ...(environment !== undefined && { env: { ...environment } }),
  });
  const output = new OutputTail(OUTPUT_TAIL_CHARS);
  child.stderr?.setEncoding("utf8").on("data", (text: string) => output.add(text));
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  signal?.addEventListener("abort", kill);
  if (signal?.aborted === true) kill();
  let outcome: ProbeOutcome | null = null;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, timeoutMs);
  child.on("message", (message: ProbeMessage) => {
    if (message.type === "ready") child.send(request, () => undefined);
    else outcome = message.outcome;
  });
  const ending = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, endSignal) => resolve(endSignal ?? `exit code ${code}`));
  });
  clearTimeout(timer);
  process.off("exit", kill);
  signal?.removeEventListener("abort", kill);
  if (signal?.aborted === true) throw new HiggsError("CANCELLED", "try the library", "the start was cancelled");
  if (outcome !== null) return outcome;
  if (isLate) return { isUsable: false, reason: `it did not answer (limit ${timeoutMs / 1000} s)` };
  const words = output.text === "" ? "" : `; its last output: ${output.text}`;
  return { isUsable: false, reason: `the process that tried it ended (got ${ending})${words}` };
}
