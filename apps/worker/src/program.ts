import { Command, CommanderError, Option } from "commander";
import { DEFAULT_BATCHES, DEFAULT_STEPS, MEASURE_NAMES } from "./bench/measure-names.ts";
import { addSettings, type Finish, type Flags, isJson, withJsonAndExample } from "./command-parts.ts";
import { helpText } from "./config/describe.ts";
import { EXIT_OK, EXIT_USAGE, type CommandIo } from "./terminal/command-io.ts";
import { errorText, exitCodeOf } from "./terminal/error-text.ts";
import { wholeNumber } from "./terminal/whole-number.ts";
import type * as DeployCommands from "./deploy-commands.ts";
import { addModels } from "./model-commands.ts";
import type * as SpeechFlags from "./speech-flags.ts";
import { VERSION } from "./version.ts";
import { addVoices } from "./voice-commands.ts";

/**
 * Runs one command line and gives its exit code. Only names, flags and help are here; a command's code is imported when it
 * runs, so that help is fast.
 */
export async function runProgram(argv: readonly string[], io: CommandIo): Promise<number> {
  let exitCode = EXIT_OK;
  const written: Promise<void>[] = [];
  // The flags of `speak` come from the table of job fields, which the other commands' help can do without.
  const speech = argv.includes("speak") ? await import("./speech-flags.ts") : null;
  const deployment = argv.includes("deploy") || argv.includes("volume") ? await import("./deploy-commands.ts") : null;
  const program = buildProgram(argv, io, { speech, deployment }, (code) => {
    exitCode = code;
  });
  const configureAll = (command: Command): void => {
    command.exitOverride().configureOutput({
      writeOut: (text) => void written.push(io.stdout.write(text)),
      writeErr: (text) => void written.push(io.stderr.write(text)),
      getOutHelpWidth: () => io.stdout.columns,
      getErrHelpWidth: () => io.stderr.columns,
    });
    for (const child of command.commands) configureAll(child);
  };
  configureAll(program);
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    exitCode = error instanceof CommanderError ? usageExitCode(error) : await reportFailure(error, argv, io);
  }
  await Promise.all(written);
  return exitCode;
}

function usageExitCode(error: CommanderError): number {
  return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
}

async function reportFailure(error: unknown, argv: readonly string[], io: CommandIo): Promise<number> {
  const level = argv.includes("--log-level") ? argv[argv.indexOf("--log-level") + 1] : io.env["HIGGS_LOG_LEVEL"];
  await io.stderr.write(errorText(error, { withStack: level === "debug" || level === "trace" }));
  return exitCodeOf(error);
}

/** Parts of the command line that are loaded where it names them; null elsewhere. */
interface OnDemand {
  readonly speech: typeof SpeechFlags | null;
  readonly deployment: typeof DeployCommands | null;
}

function buildProgram(
  argv: readonly string[],
  io: CommandIo,
  { speech, deployment }: OnDemand,
  finish: Finish,
): Command {
  const program = new Command("higgs")
    .description("Higgs Audio V2: text to speech on RunPod serverless and on your own machine")
    .version(VERSION)
    .showHelpAfterError("(see --help)")
    .addHelpText("after", '\nExample:\n  higgs speak "The sun is warm and the sky is blue." --out sky.wav');
  addWorker(program, argv, io, finish);
  addServe(program, io, finish);
  addSpeak(program, io, speech, finish);
  addModels(program, io, finish);
  addVoices(program, io, finish);
  addDeploy(program, io, deployment, finish);
  addDoctor(program, io, finish);
  addHealth(program, io, finish);
  addBench(program, io, finish);
  addVerifyGolden(program, io, finish);
  addDemo(program, io, finish);
  return program;
}

function addWorker(program: Command, argv: readonly string[], io: CommandIo, finish: Finish): void {
  const command = program
    .command("worker")
    .description("Serve jobs from a RunPod queue, or run one job and print its result")
    .option("--test_input <json>", 'run one job, for example \'{"input": {"transcript": "Hello."}}\', and exit')
    .option("--rp_serve_api", "serve the API of RunPod's SDK instead of taking jobs")
    .option("--rp_api_host <host>", "address for --rp_serve_api")
    .option("--rp_api_port <port>", "port for --rp_serve_api")
    .option("--rp_log_level <level>", "log level of the job loop")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText(
      "after",
      '\nWithout RUNPOD_WEBHOOK_GET_JOB and --test_input, the job in ./test_input.json is run.\n\nExample:\n  higgs worker --test_input \'{"input": {"transcript": "The sky is blue."}}\'',
    );
  const settings = addSettings(command, ["model", "worker", "limits", "storage", "general"]);
  command.action(async (flags: Flags) => {
    const { runWorker } = await import("./commands/worker.ts");
    finish(await runWorker({ argv: argv.slice(argv.indexOf("worker") + 1), settings: settings(flags) }, io));
  });
}

function addServe(program: Command, io: CommandIo, finish: Finish): void {
  const command = program
    .command("serve")
    .description("Serve RunPod's API on this machine: /run, /runsync, /status, /stream, /cancel, /health")
    .option("--host <host>", "address to listen on; 0.0.0.0 for all", "localhost")
    .option("--port <port>", "port to listen on; 0 for any free port", "8000")
    .addHelpText("after", "\nExample:\n  higgs serve --port 8000");
  const settings = addSettings(command, ["model", "worker", "limits", "storage", "general"]);
  command.action(async (flags: Flags) => {
    const { runServe } = await import("./commands/serve.ts");
    const { host, port } = flags;
    finish(await runServe({ host: String(host), port: String(port), settings: settings(flags) }, io));
  });
}

function addSpeak(program: Command, io: CommandIo, speech: typeof SpeechFlags | null, finish: Finish): void {
  const command = program
    .command("speak")
    .description("Synthesize a text into a file")
    .argument("<text>", "what to say")
    .option(
      "-o, --out <file>",
      "file to write, in the format that its name ends with (else WAV), or - for stdout",
      "speech.wav",
    )
    .option("--endpoint <name>", "let a deployed endpoint speak, by name or id, instead of this machine")
    .option("--json", "print the job's output as JSON", false)
    .addHelpText(
      "after",
      '\nExample:\n  higgs speak "The sun is warm." --scene-prompt "A quiet beach." --seed 7 --out sun.wav',
    );
  speech?.addSpeechFields(command);
  const settings = addSettings(command, ["model", "limits", "general"]);
  command.action(async (text: string, flags: Flags) => {
    const { runSpeak } = await import("./commands/speak.ts");
    const { out, json } = flags;
    const args = {
      text,
      out: String(out),
      isJson: json === true,
      fields: speech?.speechFieldsOf(flags) ?? {},
      refTranscript: typeof flags["refTranscript"] === "string" ? flags["refTranscript"] : null,
      allowLoopback: flags["refAllowLoopback"] === true,
      settings: settings(flags),
    };
    if (typeof flags["endpoint"] === "string") {
      const { runSpeakRemotely } = await import("./commands/speak-remotely.ts");
      return finish(await runSpeakRemotely({ ...args, endpoint: flags["endpoint"] }, io));
    }
    finish(await runSpeak(args, io));
  });
}

function addDeploy(program: Command, io: CommandIo, deployment: typeof DeployCommands | null, finish: Finish): void {
  const command = program
    .command("deploy")
    .description("Create or update an endpoint on RunPod; running it again changes only what differs");
  deployment?.addDeploy(command, io, finish);
  const volume = program.command("volume").description("Manage network volumes on RunPod: create, fill, list, delete");
  deployment?.addVolume(volume, io, finish, (argv) => runProgram(argv, io));
}

function addDoctor(program: Command, io: CommandIo, finish: Finish): void {
  const command = program
    .command("doctor")
    .description("Check driver, library, device, memory, volume, model, S3 and clock");
  withJsonAndExample(command, "higgs doctor --device cuda");
  const settings = addSettings(command, ["model", "storage", "general"]);
  command.action(async (flags: Flags) => {
    const { runDoctor } = await import("./commands/doctor.ts");
    finish(await runDoctor({ isJson: isJson(flags), settings: settings(flags) }, io));
  });
}

function addHealth(program: Command, io: CommandIo, finish: Finish): void {
  const command = program
    .command("health")
    .description("Ask a running worker or server on this machine whether it can do jobs; exit code 1 if not")
    .option("--health-socket <file>", helpText("healthSocket"));
  withJsonAndExample(command, "higgs health --health-socket /tmp/higgs-health.sock");
  command.action(async (flags: Flags) => {
    const { runHealth } = await import("./commands/health.ts");
    const { healthSocket } = flags;
    const settings = typeof healthSocket === "string" ? { healthSocket } : {};
    finish(await runHealth({ isJson: isJson(flags), settings }, io));
  });
}

function addBench(program: Command, io: CommandIo, finish: Finish): void {
  const command = program
    .command("bench")
    .description("Measure speed; the last line is JSON")
    .option("--title <text>", "heading of the report", "Benchmark")
    .option("--save <name>", "save the report as bench/results/NAME.json")
    .option("--compare <file>", "print ratios against an earlier report")
    .addOption(new Option("--random <shapes>", "random weights instead of a checkpoint").choices(["full"]))
    .option("--layers <count>", "layers of random weights, 1 to 28; default all", wholeNumber(1, 28))
    .addOption(
      new Option(
        "--batch <counts...>",
        `sequences at once in the sweep; default ${DEFAULT_BATCHES.join(" ")}`,
      ).argParser((text, before: readonly number[] | undefined) => [...(before ?? []), wholeNumber(1, 1024)(text)]),
    )
    .option("--steps <count>", "decode steps that are measured at least, 2 to 120", wholeNumber(2, 120), DEFAULT_STEPS)
    .addOption(new Option("--only <names...>", "measure only these").choices(MEASURE_NAMES).default([], "all"))
    .addHelpText("after", "\nExample:\n  higgs bench --random full --weights q8_0 --only model --save laptop");
  const settings = addSettings(command, ["model", "general"]);
  command.action(async (flags: Flags) => {
    const { runBench } = await import("./commands/bench.ts");
    const { title, save, random, only, layers, batch, steps, compare } = flags;
    const args = {
      title: String(title),
      saveAs: typeof save === "string" ? save : null,
      isRandom: random === "full",
      layers: typeof layers === "number" ? layers : null,
      batches: Array.isArray(batch) ? batch.map(Number) : DEFAULT_BATCHES,
      steps: Number(steps),
      compareWith: typeof compare === "string" ? compare : null,
      only: Array.isArray(only) ? only.map(String) : [],
      settings: settings(flags),
    };
    finish(await runBench(args, io));
  });
}

function addVerifyGolden(program: Command, io: CommandIo, finish: Finish): void {
  const command = program
    .command("verify-golden")
    .description("Compare this build with the reference implementations' expected values")
    .argument("[dir]", "folder in the golden layout (default: the bundled small set)")
    .option("--group <name...>", "run only these groups", [])
    .option("--case <text>", "run only cases whose group/name contains this")
    .option("--list", "print the names of the cases instead of running them", false)
    .option("--full-tokenizer <file>", "tokenizer.json with the full vocabulary")
    .option("--json", "print one JSON object per case", false)
    .addHelpText("after", "\nExample:\n  higgs verify-golden --group tokenizer prompts");
  const settings = addSettings(command, ["model", "general"]);
  command.action(async (directory: string | undefined, flags: Flags) => {
    const { runVerifyGolden } = await import("./commands/verify-golden.ts");
    const { group, fullTokenizer, case: caseFilter, list } = flags;
    const args = {
      directory: directory ?? null,
      caseFilter: typeof caseFilter === "string" ? caseFilter : null,
      isList: list === true,
      groups: Array.isArray(group) ? group.map(String) : [],
      fullTokenizer: typeof fullTokenizer === "string" ? fullTokenizer : null,
      isJson: isJson(flags),
      settings: settings(flags),
    };
    finish(await runVerifyGolden(args, io));
  });
}

function addDemo(program: Command, io: CommandIo, finish: Finish): void {
  const command = program
    .command("demo")
    .description("Run one job with the demo checkpoint and show the result")
    .argument("[text]", "what to say, in English")
    .option("--out-dir <dir>", "folder for demo.wav and demo.png", "out")
    .addHelpText("after", '\nExample:\n  higgs demo "The little boy went down to the river."');
  const settings = addSettings(command, ["model", "general"]);
  command.action(async (text: string | undefined, flags: Flags) => {
    const { runDemo } = await import("./commands/demo.ts");
    finish(await runDemo({ text: text ?? null, outDir: String(flags["outDir"]), settings: settings(flags) }, io));
  });
}
