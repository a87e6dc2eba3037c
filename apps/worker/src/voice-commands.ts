import type { Command } from "commander";
import { addSettings, type Finish, type Flags, isJson, withJsonAndExample } from "./command-parts.ts";
import type { CommandIo } from "./terminal/command-io.ts";

export function addVoices(program: Command, io: CommandIo, finish: Finish): void {
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
