import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { PRESETS } from "../emulator/presets.ts";
import { PACKAGE_VERSION } from "../version.ts";
import type { CommandSurface } from "./command-surface.ts";
import { emulate, type EmulateFlags } from "./emulate-command.ts";

/** Exit code of a command line that cannot be understood. */
const USAGE_EXIT_CODE = 2;

/** Runs `runpod-worker <command>` and resolves with the exit code: 0 ok, 1 failed, 2 usage. */
export async function runCommand(args: readonly string[], surface: CommandSurface): Promise<number> {
  let exitCode = 0;
  const program = new Command("runpod-worker")
    .description("Tools around workers for RunPod serverless queues")
    .version(PACKAGE_VERSION)
    .exitOverride()
    .configureOutput({ writeOut: surface.writeOut, writeErr: surface.writeError });
  addEmulate(program, async (command, flags) => {
    exitCode = await emulate(command, flags, surface);
  });
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
  }
  return exitCode;
}

const EXAMPLES = `
Examples:
  Test a worker with one job; the exit code is 0 if it is COMPLETED:
    $ runpod-worker emulate --job '{"input":{"name":"Ada"}}' -- python handler.py
  Serve the public API on http://127.0.0.1:8080/v2/emulated, with a worker started when a job comes:
    $ runpod-worker emulate -- node worker.js
  Print the environment for a worker that you start yourself:
    $ runpod-worker emulate
`;

function addEmulate(program: Command, run: (command: string[], flags: EmulateFlags) => Promise<void>): void {
  program
    .command("emulate")
    .description("Emulate RunPod's platform on this machine, for a worker in any language")
    .argument("[command...]", "how to start the worker, after --")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <number>", "port to listen on, 0 for any", wholeNumber, 8080)
    .option("--endpoint <id>", "endpoint id in all addresses (default: emulated, IDE with the preset hub)")
    .addOption(new Option("--preset <name>", "environment of the worker").choices(PRESETS).default("production"))
    .option("--worker-key <key>", "key that workers must send")
    .option("--api-key <key>", "key that clients must send (default: none)")
    .option("--ping-interval <ms>", "interval of pings", wholeNumber, 10_000)
    .option("--take-hold <ms>", "how long an empty take is held", wholeNumber, 10_000)
    .option("--execution-timeout <ms>", "limit of a job, unless its policy says otherwise", wholeNumber, 600_000)
    .option("--ttl <ms>", "time to live of a job, unless its policy says otherwise", wholeNumber, 86_400_000)
    .option("--min-workers <number>", "workers kept without jobs", wholeNumber, 0)
    .option("--max-workers <number>", "workers at most", wholeNumber, 1)
    .option("--idle-timeout <ms>", "idle time after which a worker is stopped", wholeNumber, 5000)
    .option("--clock-scale <number>", "platform milliseconds per real one", positiveNumber, 1)
    .option("--strict-parity", "let a late progress update reopen a job, as the platform does", false)
    .option("--faults <json>", "list of fault rules, as the control API takes them")
    .option("--seed <number>", "makes random faults repeatable", wholeNumber, 1)
    .option("--job <json>", "queue this job, and end when all such jobs have ended; repeatable", collect, [])
    .option("--job-timeout <ms>", "real time that all such jobs together may take", wholeNumber, 300_000)
    .option("--fail-on-violations", "exit with 1 if a worker broke the protocol", false)
    .option("--record <file>", "write each request as a line of JSON")
    .option("--quiet", "do not show what workers print", false)
    .addHelpText("after", EXAMPLES)
    .action(run);
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

function collect(text: string, previous: readonly string[]): readonly string[] {
  return [...previous, text];
}
