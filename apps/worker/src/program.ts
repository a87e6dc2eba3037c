import { Command, CommanderError, Option } from "commander";
import { DEFAULT_BATCHES, DEFAULT_STEPS, MEASURE_NAMES } from "./bench/measure-names.ts";
import { flagKeys, helpText } from "./config/describe.ts";
import type { SettingFlags } from "./config/load.ts";
import type { SettingGroup } from "./config/setting.ts";
import { SETTINGS, type SettingKey } from "./config/settings.ts";
import { EXIT_OK, EXIT_USAGE, type CommandIo } from "./terminal/command-io.ts";
import { errorText, exitCodeOf } from "./terminal/error-text.ts";
import { wholeNumber } from "./terminal/whole-number.ts";
import type * as DeployCommands from "./deploy-commands.ts";
import type * as SpeechFlags from "./speech-flags.ts";
import { VERSION } from "./version.ts";

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

type Finish = (exitCode: number) => void;

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

function addModels(program: Command, io: CommandIo, finish: Finish): void {
  const models = program.command("models").description("Download, inspect, verify and convert checkpoints");
  models
    .command("inspect")
    .description("Describe a checkpoint (reads headers only)")
    .argument("<dir>", "folder of a generation model or an audio tokenizer")
    .option("--tensors", "list every tensor", false)
    .option("--json", "print JSON", false)
    .addHelpText("after", "\nExample:\n  higgs models inspect demo-checkpoint/checkpoint")
    .action(async (directory: string, flags: Flags) => {
      const { runModelsInspect } = await import("./commands/models-inspect.ts");
      finish(await runModelsInspect({ directory, withTensors: flags["tensors"] === true, isJson: isJson(flags) }, io));
    });
  const verify = models
    .command("verify")
    .description("Check every value of a checkpoint and of its converted weights in the cache folder")
    .argument("<dir>", "folder of a generation model or an audio tokenizer")
    .option("--sha256", "print the SHA-256 of every weight file", false)
    .option("--json", "print JSON", false)
    .addHelpText(
      "after",
      "\nExample:\n  higgs models verify /runpod-volume/higgs_audio/bosonai/higgs-audio-v2-tokenizer --sha256",
    );
  const verifySettings = addSettings(verify, ["model"]);
  verify.action(async (directory: string, flags: Flags) => {
    const { runModelsVerify } = await import("./commands/models-verify.ts");
    const withHashes = flags["sha256"] === true;
    const args = { directory, withHashes, isJson: isJson(flags), settings: verifySettings(flags) };
    finish(await runModelsVerify(args, io));
  });
  addModelsConvert(models, io, finish);
  addModelsPull(models, io, finish);
  const where = models
    .command("where")
    .description("Show where checkpoints are searched and which one is used")
    .option("--json", "print JSON", false)
    .addHelpText("after", "\nExample:\n  higgs models where");
  const settings = addSettings(where, ["model"]);
  where.action(async (flags: Flags) => {
    const { runModelsWhere } = await import("./commands/models-where.ts");
    finish(await runModelsWhere({ isJson: isJson(flags), settings: settings(flags) }, io));
  });
}

function addModelsConvert(models: Command, io: CommandIo, finish: Finish): void {
  const command = models
    .command("convert")
    .description("Convert a checkpoint's weights into the cache folder before the first start")
    .argument("<dir>", "folder of a generation model")
    .option("--json", "print JSON", false)
    .addHelpText(
      "after",
      "\nExample:\n  higgs models convert /runpod-volume/higgs_audio/bosonai/higgs-audio-v2-generation-3B-base --weights q8_0",
    );
  const settings = addSettings(command, ["model", "general"]);
  command.action(async (directory: string, flags: Flags) => {
    const { runModelsConvert } = await import("./commands/models-convert.ts");
    finish(await runModelsConvert({ directory, isJson: isJson(flags), settings: settings(flags) }, io));
  });
}

function addModelsPull(models: Command, io: CommandIo, finish: Finish): void {
  const command = models
    .command("pull")
    .description("Download model and audio tokenizer from Hugging Face to where the worker looks for them")
    .addOption(
      new Option("--layout <name>", "boson is pinned, native is newer").choices(["boson", "native"]).default("boson"),
    )
    .option("--revision <name>", "another branch or tag of both repositories")
    .option("--to <dir>", "folder for both (default: the volume, else Hugging Face's cache)")
    .option("--dry-run", "only list the files", false);
  withJsonAndExample(command, "higgs models pull --layout native --to models");
  const settings = addSettings(command, ["model", "general"]);
  command.action(async (flags: Flags) => {
    const { runModelsPull } = await import("./commands/models-pull.ts");
    const { layout, revision, to, dryRun } = flags;
    const args = {
      layout: layout === "native" ? ("native" as const) : ("boson" as const),
      revision: typeof revision === "string" ? revision : null,
      to: typeof to === "string" ? to : null,
      isDryRun: dryRun === true,
      isJson: isJson(flags),
      settings: settings(flags),
    };
    finish(await runModelsPull(args, io));
  });
}

function addVoices(program: Command, io: CommandIo, finish: Finish): void {
  const voices = program.command("voices").description("Manage the voices that can be cloned by name");
  const list = voices.command("list").description("List all voices");
  withJsonAndExample(list, "higgs voices list");
  const listSettings = addSettings(list, ["model"]);
  list.action(async (flags: Flags) => {
    const { runVoicesList } = await import("./commands/voices.ts");
    finish(await runVoicesList({ isJson: isJson(flags), settings: listSettings(flags) }, io));
  });
  const show = voices.command("show").description("Show a voice's details").argument("<name>", "the voice");
  withJsonAndExample(show, "higgs voices show slt");
  const showSettings = addSettings(show, ["model"]);
  show.action(async (name: string, flags: Flags) => {
    const { runVoicesShow } = await import("./commands/voices.ts");
    finish(await runVoicesShow({ name, isJson: isJson(flags), settings: showSettings(flags) }, io));
  });
  addVoicesAdd(voices, io, finish);
  const remove = voices.command("remove").description("Remove a voice").argument("<name>", "the voice");
  withJsonAndExample(remove, "higgs voices remove anna");
  const removeSettings = addSettings(remove, ["model"]);
  remove.action(async (name: string, flags: Flags) => {
    const { runVoicesRemove } = await import("./commands/voices.ts");
    finish(await runVoicesRemove({ name, isJson: isJson(flags), settings: removeSettings(flags) }, io));
  });
  addVoicesImport(voices, io, finish);
}

function addVoicesAdd(voices: Command, io: CommandIo, finish: Finish): void {
  const add = voices
    .command("add")
    .description("Check an audio file and add it as a voice")
    .argument("<name>", "letters, digits, dashes and underscores")
    .requiredOption("--audio <file>", "a few seconds of clear speech")
    .requiredOption("--transcript <text>", "what is said in the audio")
    .option("--language <code>", "language of the voice, such as en")
    .option("--description <text>", "how the voice sounds")
    .option("--source <text>", "where the audio comes from")
    .option("--license <text>", "what it may be used for")
    .option("--consent <text>", "who agreed to the voice being cloned");
  withJsonAndExample(
    add,
    'higgs voices add anna --audio anna.wav --transcript "Hello, I am Anna." --consent "Anna, in writing"',
  );
  const settings = addSettings(add, ["model"]);
  add.action(async (name: string, flags: Flags) => {
    const { runVoicesAdd } = await import("./commands/voices.ts");
    const { audio, transcript } = flags;
    const fields = ["language", "description", "source", "license", "consent"] as const;
    const metadata = Object.fromEntries(
      fields.flatMap((field) => (typeof flags[field] === "string" ? [[field, flags[field]]] : [])),
    );
    const paths = { audio: String(audio), transcript: String(transcript) };
    finish(await runVoicesAdd({ name, ...paths, metadata, isJson: isJson(flags), settings: settings(flags) }, io));
  });
}

function addVoicesImport(voices: Command, io: CommandIo, finish: Finish): void {
  const command = voices
    .command("import-upstream")
    .description("Download the sixteen example voices from the model's authors")
    .option("--accept", "confirm that you have read the warning about real people", false)
    .option("--base-url <url>", "download from here; files are always verified by SHA-256");
  withJsonAndExample(command, "higgs voices import-upstream --accept");
  const settings = addSettings(command, ["model"]);
  command.action(async (flags: Flags) => {
    const { runVoicesImport } = await import("./commands/voices-import.ts");
    const { accept, baseUrl } = flags;
    const args = {
      isAccepted: accept === true,
      baseUrl: typeof baseUrl === "string" ? baseUrl : null,
      isJson: isJson(flags),
      settings: settings(flags),
    };
    finish(await runVoicesImport(args, io));
  });
}

function withJsonAndExample(command: Command, example: string): void {
  command.option("--json", "print JSON", false).addHelpText("after", `\nExample:\n  ${example}`);
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
    .description("Check driver, library, device, memory, volume, model, S3 and clock")
    .option("--json", "print JSON", false)
    .addHelpText("after", "\nExample:\n  higgs doctor --device cuda");
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
    .option("--health-socket <file>", helpText("healthSocket"))
    .option("--json", "print JSON", false)
    .addHelpText("after", "\nExample:\n  higgs health --health-socket /tmp/higgs-health.sock");
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
    .option("--steps <count>", "decode steps that are measured, 2 to 120", wholeNumber(2, 120), DEFAULT_STEPS)
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

type Flags = Readonly<Record<string, unknown>>;

function isJson(flags: Flags): boolean {
  return flags["json"] === true;
}

/** Adds the flags of some groups of settings; the function returned picks their texts out of the parsed flags. */
function addSettings(command: Command, groups: readonly SettingGroup[]): (flags: Flags) => SettingFlags {
  const keys = new Map<string, SettingKey>();
  for (const key of flagKeys(groups)) {
    const { flag, placeholder } = SETTINGS[key];
    const option = new Option(`${flag ?? ""} <${placeholder}>`, helpText(key)).helpGroup("Settings:");
    keys.set(option.attributeName(), key);
    command.addOption(option);
  }
  return (flags) =>
    Object.fromEntries(
      [...keys].flatMap(([attribute, key]) => {
        const text = flags[attribute];
        return typeof text === "string" ? [[key, text]] : [];
      }),
    );
}
