import { type Command, Option } from "commander";
import { addSettings, type Finish, type Flags, isJson, withJsonAndExample } from "./command-parts.ts";
import type { CommandIo } from "./terminal/command-io.ts";

export function addModels(program: Command, io: CommandIo, finish: Finish): void {
  const models = program.command("models").description("Download, inspect, verify and convert checkpoints");
  const inspect = models
    .command("inspect")
    .description("Describe a checkpoint (reads headers only)")
    .argument("<dir>", "folder of a generation model or an audio tokenizer")
    .option("--tensors", "list every tensor", false);
  withJsonAndExample(inspect, "higgs models inspect demo-checkpoint/checkpoint");
  inspect.action(async (directory: string, flags: Flags) => {
    const { runModelsInspect } = await import("./commands/models-inspect.ts");
    finish(await runModelsInspect({ directory, withTensors: flags["tensors"] === true, isJson: isJson(flags) }, io));
  });
  const verify = models
    .command("verify")
    .description("Check every value of a checkpoint and of its converted weights in the cache folder")
    .argument("<dir>", "folder of a generation model or an audio tokenizer")
    .option("--sha256", "print the SHA-256 of every weight file", false);
  withJsonAndExample(
    verify,
    "higgs models verify /runpod-volume/higgs_audio/bosonai/higgs-audio-v2-tokenizer --sha256",
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
  const where = models.command("where").description("Show where checkpoints are searched and which one is used");
  withJsonAndExample(where, "higgs models where");
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
    .argument("<dir>", "folder of a generation model");
  withJsonAndExample(
    command,
    "higgs models convert /runpod-volume/higgs_audio/bosonai/higgs-audio-v2-generation-3B-base --weights q8_0",
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
