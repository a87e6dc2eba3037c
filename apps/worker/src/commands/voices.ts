import { extname, resolve } from "node:path";
import type { Voice, VoiceMetadata } from "@higgs-worker/higgs-audio";
import type { SettingFlags } from "../config/load.ts";
import { readAudioFile } from "../references/local-reference.ts";
import { prepareClip } from "../references/prepare-clip.ts";
import { findVoice } from "../references/prepare-references.ts";
import { openVoiceLibrary } from "../references/voices.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { alignColumns } from "../terminal/format.ts";
import { printJson } from "../terminal/print-json.ts";
import { openCommandContext } from "./command-context.ts";

interface VoicesArgs {
  readonly isJson: boolean;
  readonly settings: SettingFlags;
}

export interface VoiceArgs extends VoicesArgs {
  readonly name: string;
}

export interface VoicesAddArgs extends VoiceArgs {
  /** Path of the audio file. */
  readonly audio: string;
  readonly transcript: string;
  readonly metadata: Partial<VoiceMetadata>;
}

/** `higgs voices list`: the voices that `ref_audio` may name. */
export async function runVoicesList(args: VoicesArgs, io: CommandIo): Promise<number> {
  const { config } = await openCommandContext(io, args.settings);
  const { voices, broken } = await openVoiceLibrary(config).list();
  for (const { name, reason } of broken)
    await io.stderr.write(`warning: the voice ${name} cannot be used: ${reason}\n`);
  if (args.isJson) await printJson(io, { voices, broken });
  else await io.stdout.write(voices.length === 0 ? "no voices\n" : `${alignColumns(voices.map(rowOf))}\n`);
  return EXIT_OK;
}

/**
 * `higgs voices show NAME`: a voice's details.
 *
 * @throws {HiggsError} VOICE_NOT_FOUND when no voice has the name
 */
export async function runVoicesShow(args: VoiceArgs, io: CommandIo): Promise<number> {
  const { config } = await openCommandContext(io, args.settings);
  const voice = await findVoice(args.name, "the voice", openVoiceLibrary(config));
  await (args.isJson ? printJson(io, voice) : io.stdout.write(describe(voice)));
  return EXIT_OK;
}

/**
 * `higgs voices add`: checks the audio like a job does and adds it; nothing is added when that fails.
 *
 * @throws {HiggsError} INVALID_INPUT for a bad name or transcript, REFERENCE_INVALID for bad audio
 * @throws {HiggsError} VOLUME_UNAVAILABLE when the folder cannot be written
 */
export async function runVoicesAdd(args: VoicesAddArgs, io: CommandIo): Promise<number> {
  const { config } = await openCommandContext(io, args.settings);
  const audio = await readAudioFile(resolve(io.workingDirectory, args.audio));
  const { transcript } = args;
  const clip = await prepareClip(audio, { where: "the audio file", transcript, signal: io.signal });
  const library = openVoiceLibrary(config);
  const voice = await library.add({
    name: args.name,
    audio,
    extension: extname(args.audio),
    transcript,
    ...args.metadata,
  });
  for (const warning of clip.warnings) await io.stderr.write(`warning: ${warning}\n`);
  if (args.isJson) await printJson(io, { voice, durationSeconds: clip.durationSeconds, warnings: clip.warnings });
  else await io.stdout.write(`added ${voice.name} (${clip.durationSeconds.toFixed(1)} s): ${voice.audioPath}\n`);
  return EXIT_OK;
}

/**
 * `higgs voices remove NAME`.
 *
 * @throws {HiggsError} VOICE_NOT_FOUND when no voice has the name, INVALID_INPUT for a bundled voice
 * @throws {HiggsError} VOLUME_UNAVAILABLE when the folder cannot be written
 */
export async function runVoicesRemove(args: VoiceArgs, io: CommandIo): Promise<number> {
  const { config } = await openCommandContext(io, args.settings);
  const library = openVoiceLibrary(config);
  const { name } = await findVoice(args.name, "the voice", library);
  await library.remove(name);
  if (args.isJson) await printJson(io, { removed: name });
  else await io.stdout.write(`removed ${name}\n`);
  return EXIT_OK;
}

function rowOf({ name, origin, language, description }: Voice): string[] {
  return [name, origin, language ?? "-", description ?? "-"];
}

function describe(voice: Voice): string {
  const rows = Object.entries(voice).map(([field, value]) => [field, String(value ?? "-")]);
  return `${alignColumns(rows)}\n`;
}
