import { isAbsolute, relative } from "node:path";
import type { SettingFlags } from "../config/load.ts";
import { openAccount, openDeployContext, withRunpodErrors } from "../deploy/account.ts";
import { FILL_DONE, FILL_FAILED, fillOnPod } from "../deploy/fill-on-pod.ts";
import { fillFromHere, type FolderToCopy } from "../deploy/fill-from-here.ts";
import { findVolume } from "../deploy/volumes.ts";
import { findModel, type FoundModel } from "../model/locations.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";

export interface VolumePodFillArgs {
  /** Name or id. */
  readonly volume: string;
  /** The worker's image. */
  readonly image: string;
  readonly registry: string | null;
}

/** `higgs volume fill NAME --pod`: the model is downloaded by a pod in the volume's data center. */
export async function runVolumeFillOnPod(args: VolumePodFillArgs, io: CommandIo): Promise<number> {
  const { config, env } = await openDeployContext(io);
  const client = openAccount(config, io.signal);
  const cleanUp = openAccount(config, io.hurry);
  return withRunpodErrors("fill the network volume", async () => {
    const volume = await findVolume(client, args.volume);
    await fillOnPod({
      client,
      cleanUp,
      volume,
      image: args.image,
      registry: args.registry,
      hubToken: env["HF_TOKEN"] ?? null,
      onLine: (line) => io.stderr.write(`${line}\n`),
      signal: io.signal,
    });
    await io.stdout.write(`The volume ${volume.name} (${volume.id}) has the model.\n`);
    return EXIT_OK;
  });
}

export interface VolumeFillArgs {
  /** Name or id. */
  readonly volume: string;
  readonly isForced: boolean;
  readonly settings: SettingFlags;
}

/** `higgs volume fill NAME`: the model of this machine is copied through RunPod's S3. */
export async function runVolumeFill(args: VolumeFillArgs, io: CommandIo): Promise<number> {
  const { config } = await openDeployContext(io, args.settings);
  const client = openAccount(config, io.signal);
  return withRunpodErrors("fill the network volume", async () => {
    const volume = await findVolume(client, args.volume);
    const found = findModel(config, { allowDemo: false });
    const { copied, present } = await fillFromHere({
      config,
      volume,
      folders: foldersOf(found),
      isForced: args.isForced,
      onLine: (line) => io.stderr.write(`${line}\n`),
      signal: io.signal,
    });
    await io.stdout.write(
      `The volume ${volume.name} (${volume.id}) has the model: ${copied} files copied, ${present} there already.\n`,
    );
    return EXIT_OK;
  });
}

/** Where workers look on a volume (spec contract §5.3). */
const VOLUME_FOLDER = "higgs_audio/bosonai";

/** The folders of model and audio tokenizer; the latter may be inside the former. */
function foldersOf({ modelPath, tokenizerPath }: FoundModel): FolderToCopy[] {
  const model = { folder: modelPath, target: `${VOLUME_FOLDER}/higgs-audio-v2-generation-3B-base` };
  const tokenizer = { folder: tokenizerPath, target: `${VOLUME_FOLDER}/higgs-audio-v2-tokenizer` };
  const isInside =
    !relative(modelPath, tokenizerPath).startsWith("..") && !isAbsolute(relative(modelPath, tokenizerPath));
  // The tokenizer first: a worker that starts meanwhile must not find half a model.
  return isInside ? [model] : [tokenizer, model];
}

/**
 * `higgs volume fill-here`, which runs on the pod: downloads the model onto the mounted volume, says how that ended, and waits,
 * because RunPod starts a container that ends again.
 *
 * @param pull runs `higgs models pull`
 */
export async function runVolumeFillHere(pull: () => Promise<number>, io: CommandIo): Promise<number> {
  const exitCode = await pull().catch(() => 1);
  const line = exitCode === EXIT_OK ? FILL_DONE : `${FILL_FAILED} with exit code ${exitCode}`;
  await io.stdout.write(`${line}\n`);
  await new Promise<void>((resolve) => {
    // A promise alone does not keep the process alive.
    const timer = setInterval(() => undefined, 60_000);
    const end = (): void => {
      clearInterval(timer);
      resolve();
    };
    if (io.signal.aborted) end();
    else io.signal.addEventListener("abort", end, { once: true });
  });
  return exitCode;
}
