import { basename, dirname, extname, resolve } from "node:path";
import { AUDIO_FORMATS, type AudioFormat } from "@higgs-worker/audio";
import { HiggsError, toHiggsError } from "@higgs-worker/base";
import type { SettingFlags } from "../config/load.ts";
import type { DeliveryPlan } from "../job/plan-delivery.ts";
import { parseJob } from "../job/parse-input.ts";
import { runSpeechJob, type FinishedSpeechJob } from "../job/run-speech-job.ts";
import { loadSpeechModel, type ModelLoader } from "../model/load-model.ts";
import { findModel, type FoundModel } from "../model/locations.ts";
import { localRefAudio } from "../references/local-reference.ts";
import { createReferenceServices } from "../references/voices.ts";
import { createFileStore } from "../storage/file-store.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { printJson } from "../terminal/print-json.ts";
import { type CommandContext, openCommandContext } from "./command-context.ts";

export interface SpeakArgs {
  readonly text: string;
  /** File name, or `-` for stdout. */
  readonly out: string;
  readonly isJson: boolean;
  /** Further fields of the job input, by their names in the contract. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What is said in the audio that `ref_audio` names; null when it is not given. */
  readonly refTranscript?: string | null;
  /** References may be read from this machine's addresses. */
  readonly allowLoopback?: boolean;
  readonly settings: SettingFlags;
}

/** `higgs speak`: one synthesis to a file or stdout. */
export async function runSpeak(
  args: SpeakArgs,
  io: CommandIo,
  loadModel: ModelLoader = loadSpeechModel,
): Promise<number> {
  try {
    const { output } = await speak(args, io, loadModel);
    if (args.isJson) await printJson(io, { output, error: null });
    else await io.stderr.write(summary(args.out, output));
    return EXIT_OK;
  } catch (error) {
    if (args.isJson && args.out !== "-") await printJson(io, { output: null, error: toHiggsError(error).toString() });
    throw error;
  }
}

async function speak(args: SpeakArgs, io: CommandIo, loadModel: ModelLoader): Promise<FinishedSpeechJob> {
  if (args.out === "-" && args.isJson) {
    throw new HiggsError("INVALID_INPUT", "write both the audio and JSON to stdout", "use --out FILE with --json");
  }
  const context = await openCommandContext(io, args.settings);
  const delivery = planOutput(args.out, io);
  const bar = createProgressBar(io.stderr, args.text);
  const model = lazyModel(context, io, loadModel);
  try {
    const job = parseJob(
      { id: "speak", input: { ...(await jobFields(args, io)), transcript: args.text } },
      context.config,
    );
    const references = createReferenceServices(context.config, {
      fetch: { allowLoopback: args.allowLoopback ?? false },
    });
    const services = { ...context, model: model.get, references };
    const finished = await runSpeechJob(job, services, {
      signal: io.signal,
      onProgress: bar.onProgress,
      delivery,
    });
    await bar.clear();
    if (args.out === "-" && finished.file !== null) await io.stdout.write(finished.file);
    return finished;
  } finally {
    await bar.clear();
    await model.dispose();
  }
}

/** The fields of the job, with a file that `ref_audio` names read into it, and the format that the output file's name says. */
export async function jobFields(args: SpeakArgs, io: CommandIo): Promise<Readonly<Record<string, unknown>>> {
  const { refTranscript: transcript = null } = args;
  const named = formatOfName(args.out);
  const asked = args.fields["output_format"];
  if (named !== null && typeof asked === "string" && asked !== named) {
    const why = `its name ends as ${named} does, and --output-format is ${asked.slice(0, 20)}`;
    throw new HiggsError("INVALID_INPUT", "write the --out file", `${why}; leave one of them out`);
  }
  // What is the default is left to the job.
  const fields = named === null || named === "wav" ? args.fields : { output_format: named, ...args.fields };
  const refAudio = fields["ref_audio"];
  if (typeof refAudio !== "string") return fields;
  const { workingDirectory } = io;
  return { ...fields, ref_audio: await localRefAudio(refAudio, { transcript, workingDirectory }) };
}

/** Names of files that hold a format without being called like it. */
const OTHER_EXTENSIONS: Readonly<Record<string, AudioFormat>> = { ogg: "opus", oga: "opus", raw: "pcm" };

/** The format that the name says; null where it says none. */
function formatOfName(out: string): AudioFormat | null {
  const extension = extname(out).slice(1).toLowerCase();
  const other = Object.hasOwn(OTHER_EXTENSIONS, extension) ? OTHER_EXTENSIONS[extension] : undefined;
  return AUDIO_FORMATS.find((known) => known === extension) ?? other ?? null;
}

function planOutput(out: string, io: CommandIo): DeliveryPlan {
  if (out === "-") return { kind: "bytes" };
  const path = resolve(io.workingDirectory, out);
  return { kind: "file", store: createFileStore(dirname(path)), key: basename(path) };
}

function lazyModel({ config, logger }: CommandContext, io: CommandIo, loadModel: ModelLoader) {
  let loading: ReturnType<ModelLoader> | null = null;
  return {
    get: async () => {
      const found = findModel(config, { allowDemo: true });
      await io.stderr.write(demoNotice(found));
      loading = loadModel(found, config, { logger, signal: io.signal });
      return loading;
    },
    dispose: async () => {
      const model = await loading?.catch(() => null);
      await model?.[Symbol.asyncDispose]();
    },
  };
}

/** Says that the demo checkpoint is used; empty for another model. */
export function demoNotice(found: FoundModel): string {
  return found.source === "demo"
    ? "No Higgs Audio V2 checkpoint was found: using the demo checkpoint, a small voice that reads English.\n"
    : "";
}

function summary(out: string, output: FinishedSpeechJob["output"]): string {
  const { duration_seconds: seconds, usage, metadata, warnings } = output;
  const speed = usage.rtf > 0 ? `${(1 / usage.rtf).toFixed(1)}× real time` : "";
  const line = `${out === "-" ? "stdout" : out}: ${seconds.toFixed(2)} s, ${speed}, seed ${metadata.generation_parameters.seed}\n`;
  return line + warnings.map((warning) => `warning: ${warning}\n`).join("");
}
