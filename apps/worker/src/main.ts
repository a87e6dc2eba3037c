/** The process: arguments, environment, output, signals and exit code. Nothing else touches them. */
import type { Sink } from "./terminal/command-io.ts";
import { watchShutdown } from "./terminal/shutdown.ts";

// Before anything else is loaded: an early signal must end the start-up.
const shutdown = watchShutdown(process, (code) => process.exit(code));
const { runProgram } = await import("./program.ts");

const exitCode = await runProgram(process.argv.slice(2), {
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  env: process.env,
  workingDirectory: process.cwd(),
  ...shutdown,
});
// The compute library's threads may still be running; all output has been written.
process.exit(exitCode);

function sinkOf(stream: NodeJS.WriteStream): Sink {
  // A closed pipe (`| head`) must not end a command with a stack trace.
  stream.on("error", () => undefined);
  return {
    isTerminal: stream.isTTY,
    // A terminal of unknown size reports 0.
    columns: stream.columns || 80,
    write: (chunk) => new Promise((resolve) => stream.write(chunk, () => resolve())),
  };
}
