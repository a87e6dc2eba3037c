import type { CommandIo } from "./command-io.ts";

/** A JSON document on stdout, one line. */
export function printJson(io: CommandIo, value: unknown): Promise<void> {
  return io.stdout.write(`${JSON.stringify(value)}\n`);
}
