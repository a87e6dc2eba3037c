/** The process: arguments, environment, output, signals and exit code. Nothing else touches them. */
import type { Sink } from "./terminal/command-io.ts";
import { watchShutdown } from "./terminal/shutdown.ts";

// Before anything else is loaded: a signal in the first moments must end what is being started.
const shutdown = watchShutdown(process, (code) => process.exit(code));
const { runProgram } = await import("./program.ts");

const exitCode = await runProgram(process.argv.slice(2), {
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  env: process.env,
  workingDirectory: process.cwd(),
  ...shutdown,
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
