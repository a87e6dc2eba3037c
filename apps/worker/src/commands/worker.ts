import { wavEncoder } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/errors";
import type { SpeechModel } from "@higgs-worker/higgs-audio";
import type { SettingFlags } from "../config/load.ts";
import { createJobHandler } from "../job/job-handler.ts";
import { loadSpeechModel, type ModelLoader } from "../model/load-model.ts";
import { findModel } from "../model/locations.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { openSession, printJson } from "./session.ts";
import { loadWorkerRuntime, type WorkerRuntime } from "./worker-runtime.ts";

export interface WorkerArgs {
  /** Everything after `worker`, the runtime's own flags included. */
  readonly argv: readonly string[];
  readonly settings: SettingFlags;
}

export interface WorkerParts {
  readonly loadModel: ModelLoader;
  readonly loadRuntime: () => Promise<WorkerRuntime>;
}

/**
 * `higgs worker`: RunPod's queue, or one local job. In production the model is loaded before the first job is taken, and the
 * demo checkpoint is never used. A local run prints `{"output": …, "error": …}` and nothing else on stdout.
 */
export async function runWorker(
  args: WorkerArgs,
  io: CommandIo,
  parts: WorkerParts = { loadModel: loadSpeechModel, loadRuntime: loadWorkerRuntime },
): Promise<number> {
  const isLocal = isLocalRun(args.argv, io.env);
  const { config, logger } = await openSession(io, args.settings, { isQuiet: isLocal });
  if (config.mode === "lb") {
    throw new HiggsError(
      "NOT_SUPPORTED",
      "Cannot serve behind a load balancer: HIGGS_MODE=lb is not supported yet (supported: queue)",
    );
  }
  const runtime = await parts.loadRuntime();
  const load = () => {
    const found = findModel(config, { allowDemo: isLocal });
    if (found.source === "demo") logger.warn("no Higgs Audio V2 checkpoint was found, the demo checkpoint speaks");
    return parts.loadModel(found, config, { logger, signal: io.signal });
  };
  let loading: Promise<SpeechModel> | null = isLocal ? null : load();
  const model = () => (loading ??= load());
  if (!isLocal) await model();
  let printed: Promise<void> = Promise.resolve();
  try {
    return await runtime.start({
      handler: createJobHandler({ config, logger, encoder: wavEncoder, model }),
      onLocalResult: ({ output, error }) => {
        printed = printJson(io, { output: output ?? null, error });
      },
      surface: {
        ...runtime.nodeProcessSurface(),
        argv: args.argv,
        env: io.env,
        workingDirectory: io.workingDirectory,
        // The platform collects stdout; a local run keeps it for the result alone, so that it can be piped.
        writeOut: (text) => void (isLocal ? io.stderr : io.stdout).write(text),
        exit: () => undefined,
      },
    });
  } finally {
    await printed;
    const loaded = await loading?.catch(() => null);
    await loaded?.[Symbol.asyncDispose]();
  }
}

/** One local job: asked for by flag, or because the platform's variable is not there (spec/runpod-worker §1.1). */
function isLocalRun(argv: readonly string[], env: CommandIo["env"]): boolean {
  const has = (flag: string) => argv.some((argument) => argument === flag || argument.startsWith(`${flag}=`));
  if (has("--rp_serve_api")) return false;
  return has("--test_input") || (env["RUNPOD_WEBHOOK_GET_JOB"] ?? "") === "";
}
