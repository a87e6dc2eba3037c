import { HiggsError } from "@higgs-worker/base/errors";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Finish, type Flags, isJson } from "./command-parts.ts";
import type { CommandIo } from "./terminal/command-io.ts";
import { wholeNumber } from "./terminal/whole-number.ts";

/** Flags, subcommands and help of `higgs deploy` and `higgs volume`, which only these need; their code is imported when they run. */

const DEFAULT_NAME = "higgs-audio";

export function addDeploy(deploy: Command, io: CommandIo, finish: Finish): void {
  deploy
    .option("--image <ref>", "image in a registry that RunPod reaches; needed the first time")
    .option("--volume <name>", "network volume with the model, by name or id; pins workers to its data center")
    .option("--cached-models", "the model comes from RunPod's cache of Hugging Face models instead of a volume")
    .addOption(
      new Option("--mode <mode>", "a queue, or HTTP behind a load balancer (default at creation: queue)").choices([
        "queue",
        "lb",
      ]),
    )
    .addOption(
      new Option("--target <name>", "GPU library in the image (default: by the image's tag, else cuda12)").choices([
        "cuda12",
        "cuda13",
        "vulkan",
      ]),
    )
    .option("--gpu <names>", "pools (ADA_24) or cards (4090, L40S), with commas; repeatable", list)
    .option("--gpu-count <n>", "GPUs a worker", wholeNumber(1, 16))
    .option("--min-cuda <version>", "lowest CUDA version of hosts, or any (default: by the target)", cudaVersion)
    .option(
      "--workers-min <n>",
      "workers that are always there, and always billed (default at creation: 0)",
      wholeNumber(0, 1000),
    )
    .option("--workers-max <n>", "workers at most (default at creation: 3)", wholeNumber(0, 1000))
    .option(
      "--idle-timeout <seconds>",
      "how long a worker without jobs stays (default at creation: 10)",
      wholeNumber(1, 3600),
    )
    .option("--timeout <seconds>", "how long a job may take (default at creation: 600)", wholeNumber(5, 604_800))
    .option("--scale-delay <seconds>", "another worker when jobs wait this long (default at creation: 4)", seconds)
    .option("--scale-requests <n>", "another worker for so many requests at once", wholeNumber(1, 10_000))
    .addOption(
      new Option("--flashboot <mode>", "revival of stopped workers (default at creation: FLASHBOOT)").choices([
        "OFF",
        "FLASHBOOT",
        "PRIORITY_FLASHBOOT",
      ]),
    )
    .option("--disk <gb>", "container disk in GB (default at creation: 10)", wholeNumber(1, 4096))
    .option("--registry <id>", "id of a registry credential, for a private image")
    .option("--data-center <ids>", "data centers, with commas; repeatable (default: any)", list)
    .option("--env <variable>", "NAME=value, or NAME for its value in the environment or .env; repeatable", append)
    .option("--env-file <file>", "file of variables for the workers, in the form of .env")
    .option("--unset-env <name>", "take a variable away; repeatable", append)
    .option("--reset", "put what is not named back to the defaults, instead of leaving it as it is")
    .option("--dry-run", "print the requests, without secrets, and send none that changes anything");
  withEndpoint(
    deploy,
    "higgs deploy --image me/higgs-audio:0.1.0 --volume higgs --gpu L4 --gpu 4090 --env S3_BUCKET=audio",
  );
  deploy.addHelpText(
    "after",
    "\nRUNPOD_API_KEY comes from the environment or .env. Secrets are never arguments: --env AWS_SECRET_ACCESS_KEY takes the\n" +
      "value from the environment or .env, and a value such as '{{ RUNPOD_SECRET_name }}' names a secret stored at RunPod.",
  );
  deploy.action(async (flags: Flags) => {
    const { runDeploy } = await import("./commands/deploy.ts");
    finish(await runDeploy(deployArgs(flags), io));
  });
  addStatus(deploy, io, finish);
  addLogs(deploy, io, finish);
  addDown(deploy, io, finish);
}

function deployArgs(flags: Flags) {
  return {
    flags: {
      ...endpointOf(flags),
      image: textOf(flags, "image"),
      target: choiceOf(flags["target"], ["cuda12", "cuda13", "vulkan"]),
      mode: choiceOf(flags["mode"], ["queue", "lb"]),
      gpus: listOf(flags["gpu"]),
      gpuCount: numberOf(flags["gpuCount"]),
      minCuda: textOf(flags, "minCuda"),
      workersMin: numberOf(flags["workersMin"]),
      workersMax: numberOf(flags["workersMax"]),
      idleTimeoutSeconds: numberOf(flags["idleTimeout"]),
      executionTimeoutSeconds: numberOf(flags["timeout"]),
      scaleDelaySeconds: numberOf(flags["scaleDelay"]),
      scaleRequests: numberOf(flags["scaleRequests"]),
      flashboot: choiceOf(flags["flashboot"], ["OFF", "FLASHBOOT", "PRIORITY_FLASHBOOT"]),
      diskGb: numberOf(flags["disk"]),
      registry: textOf(flags, "registry"),
      dataCenters: listOf(flags["dataCenter"]),
      unsetEnv: listOf(flags["unsetEnv"]),
      isReset: flags["reset"] === true,
      usesCachedModels: flags["cachedModels"] === true,
    },
    volume: textOf(flags, "volume"),
    env: listOf(flags["env"]),
    envFile: textOf(flags, "envFile"),
    isDryRun: flags["dryRun"] === true,
    isJson: isJson(flags),
  } as const;
}

/** @param run runs another command of this program */
export function addVolume(
  volume: Command,
  io: CommandIo,
  finish: Finish,
  run: (argv: readonly string[]) => Promise<number>,
): void {
  const create = volume
    .command("create")
    .description("Create a network volume, or let the one of this name grow")
    .argument("<name>", "its name")
    .requiredOption("--data-center <id>", "where it is, such as EU-RO-1; workers with it can only be there")
    .addOption(
      new Option("--size <gb>", "GB; 30 hold the model and its converted weights")
        .argParser(wholeNumber(10, 4096))
        .default(30),
    )
    .addOption(
      new Option("--type <type>", "storage tier (default: the data center's)").choices([
        "STANDARD",
        "HIGH_PERFORMANCE",
      ]),
    )
    .option("--fill", "fill it afterwards, as `volume fill` does");
  addFillFlags(create);
  withJson(create, "higgs volume create higgs --data-center EU-RO-1 --fill --pod --image me/higgs-audio:0.1.0");
  create.action(async (name: string, flags: Flags) => {
    const { runVolumeCreate } = await import("./commands/volume.ts");
    const type = choiceOf(flags["type"], ["STANDARD", "HIGH_PERFORMANCE"]);
    const wish = { name, dataCenter: String(flags["dataCenter"]), sizeGb: numberOf(flags["size"]) ?? 30, type };
    // A pod that cannot be started should not be found out after something was made that costs money.
    if (flags["fill"] === true) checkFillFlags(flags);
    const exitCode = await runVolumeCreate({ ...wish, isJson: isJson(flags) }, io);
    finish(exitCode !== 0 || flags["fill"] !== true ? exitCode : await fillVolume(name, flags, io));
  });
  const fill = volume
    .command("fill")
    .description("Put the model onto a volume: from this machine through RunPod's S3, or by a pod that downloads it")
    .argument("<name>", "name or id of the volume");
  addFillFlags(fill);
  fill.addHelpText(
    "after",
    "\nExamples:\n  higgs volume fill higgs --pod --image me/higgs-audio:0.1.0\n  higgs volume fill higgs --model DIR --tokenizer DIR",
  );
  fill.action(async (name: string, flags: Flags) => {
    checkFillFlags(flags);
    finish(await fillVolume(name, flags, io));
  });
  volume
    .command("fill-here", { hidden: true })
    .description("On the pod: download the model onto the mounted volume, and wait")
    .action(async () => {
      const { runVolumeFillHere } = await import("./commands/volume-fill.ts");
      finish(await runVolumeFillHere(() => run(["models", "pull"]), io));
    });
  const list = volume.command("list").description("List the account's network volumes");
  withJson(list, "higgs volume list");
  list.action(async (flags: Flags) => {
    const { runVolumeList } = await import("./commands/volume.ts");
    finish(await runVolumeList({ isJson: isJson(flags) }, io));
  });
  const remove = volume
    .command("delete")
    .description("Delete a network volume with everything on it")
    .argument("<name>", "name or id of the volume")
    .option("--yes", "everything on it may be lost");
  withJson(remove, "higgs volume delete higgs --yes");
  remove.action(async (name: string, flags: Flags) => {
    const { runVolumeDelete } = await import("./commands/volume.ts");
    finish(await runVolumeDelete({ volume: name, isSure: flags["yes"] === true, isJson: isJson(flags) }, io));
  });
}

function addFillFlags(command: Command): void {
  command
    .option("--pod", "let a small CPU pod in the volume's data center download the model; needs --image")
    .option("--image <ref>", "the worker's image, for --pod")
    .option("--registry <id>", "id of a registry credential for a private image, for --pod")
    .option("--model <dir>", "checkpoint on this machine (default: where `higgs models where` finds it)")
    .option("--tokenizer <dir>", "audio tokenizer on this machine (default: beside or in the model)")
    .option("--force", "copy files again that are there with the same size");
}

/** @throws {HiggsError} INVALID_INPUT for a pod without an image */
function checkFillFlags(flags: Flags): void {
  if (flags["pod"] === true && textOf(flags, "image") === null) {
    throw new HiggsError(
      "INVALID_INPUT",
      "fill the network volume",
      "--pod needs --image: the worker's image, which has the command that downloads",
    );
  }
}

async function fillVolume(volume: string, flags: Flags, io: CommandIo): Promise<number> {
  const { runVolumeFill, runVolumeFillOnPod } = await import("./commands/volume-fill.ts");
  const image = textOf(flags, "image");
  if (flags["pod"] === true && image !== null) {
    return runVolumeFillOnPod({ volume, image, registry: textOf(flags, "registry") }, io);
  }
  const settings = {
    modelPath: textOf(flags, "model") ?? undefined,
    tokenizerPath: textOf(flags, "tokenizer") ?? undefined,
  };
  return runVolumeFill({ volume, isForced: flags["force"] === true, settings }, io);
}

/** Unlike `withJsonAndExample` without a default, which would hide `--json` of the command above. */
function withJson(command: Command, example: string): void {
  command.option("--json", "print JSON").addHelpText("after", `\nExample:\n  ${example}`);
}

function addStatus(deploy: Command, io: CommandIo, finish: Finish): void {
  const command = deploy.command("status").description("Show the endpoint and its workers");
  withEndpoint(command, "higgs deploy status");
  command.action(async (_flags: Flags, { parent }: Command) => {
    const { runDeployStatus } = await import("./commands/deploy-status.ts");
    const flags = { ...parent?.opts(), ..._flags };
    finish(await runDeployStatus({ ...endpointOf(flags), isJson: isJson(flags) }, io));
  });
}

function addLogs(deploy: Command, io: CommandIo, finish: Finish): void {
  const command = deploy
    .command("logs")
    .description("Show what the workers write")
    .option("--worker <id>", "only this worker")
    .option("--tail <n>", "lines a worker from before", wholeNumber(0, 5000), 100)
    .option("-f, --follow", "go on until interrupted");
  withEndpoint(command, "higgs deploy logs --follow");
  command.action(async (own: Flags, { parent }: Command) => {
    const { runDeployLogs } = await import("./commands/deploy-logs.ts");
    const flags = { ...parent?.opts(), ...own };
    const args = {
      ...endpointOf(flags),
      worker: textOf(flags, "worker"),
      tail: numberOf(flags["tail"]) ?? 100,
      isFollowing: flags["follow"] === true,
      isJson: isJson(flags),
    };
    finish(await runDeployLogs(args, io));
  });
}

function addDown(deploy: Command, io: CommandIo, finish: Finish): void {
  const command = deploy
    .command("down")
    .description("Delete the endpoint and its template; jobs that run are cancelled")
    .option("--with-volumes", "also delete its network volumes with everything on them");
  withEndpoint(command, "higgs deploy down");
  command.action(async (own: Flags, { parent }: Command) => {
    const { runDeployDown } = await import("./commands/deploy-down.ts");
    const flags = { ...parent?.opts(), ...own };
    const withVolumes = flags["withVolumes"] === true;
    finish(await runDeployDown({ ...endpointOf(flags), withVolumes, isJson: isJson(flags) }, io));
  });
}

/** Which endpoint is meant, and `--json`. */
function withEndpoint(command: Command, example: string): void {
  command
    .option("--name <name>", `name of endpoint and template (default: ${DEFAULT_NAME})`)
    .option("--id <id>", "the endpoint's id, where several have the name")
    .option("--json", "print JSON")
    .addHelpText("after", `\nExample:\n  ${example}`);
}

function endpointOf(flags: Flags): { readonly name: string; readonly id: string | null } {
  return { name: textOf(flags, "name") ?? DEFAULT_NAME, id: textOf(flags, "id") };
}

/** @throws {HiggsError} INVALID_INPUT when it is given but blank, as from a variable of the shell that is not set */
function textOf(flags: Flags, name: string): string | null {
  const value = flags[name];
  if (typeof value !== "string") return null;
  if (value.trim() !== "") return value;
  const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new HiggsError("INVALID_INPUT", "read the arguments", `${flag} is empty`);
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function choiceOf<const T extends string>(value: unknown, choices: readonly T[]): T | null {
  return choices.find((choice) => choice === value) ?? null;
}

function append(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Names with commas, which no name of RunPod has. */
function list(value: string, before: readonly string[] = []): readonly string[] {
  const names = value.split(",").map((name) => name.trim());
  return [...before, ...names.filter((name) => name !== "")];
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0.5 && value <= 3600) return value;
  throw new InvalidArgumentError("Allowed are 0.5 … 3600 seconds.");
}

function cudaVersion(text: string): string {
  if (text === "any" || /^\d+\.\d+$/.test(text)) return text;
  throw new InvalidArgumentError("Allowed are versions such as 12.8, or any.");
}
