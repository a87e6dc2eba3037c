/** The process: arguments, environment, output, signals and exit code. Nothing else touches them. */
import { runProgram } from "./program.ts";
import type { Sink } from "./terminal/command-io.ts";

/** As shells report an end by SIGINT. */
const EXIT_INTERRUPTED = 130;

const controller = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
  });
}

const exitCode = await runProgram(process.argv.slice(2), {
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  env: process.env,
  workingDirectory: process.cwd(),
  signal: controller.signal,
});
// Native threads of the compute library may still be there; the outputs have been written.
process.exit(exitCode);

function sinkOf(stream: NodeJS.WriteStream): Sink {
  // A reader that went away (`| head`) must not end a command with a stack.
  stream.on("error", () => undefined);
  return {
    isTerminal: stream.isTTY,
    // A terminal that does not know its size says 0.
    columns: stream.columns || 80,
    write: (chunk) => new Promise((resolve) => stream.write(chunk, () => resolve())),
  };
}
