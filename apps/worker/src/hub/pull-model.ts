import { rm, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  BoundedTasks,
  HiggsError,
  makeFolders,
  readRegularFile,
  volumeError,
  withFileLock,
  writeAtomically,
} from "@higgs-worker/base";
import type { HubClient, HubFile } from "./hub-client.ts";
import { downloadedBytes, hashFile, PartialFile } from "./partial-file.ts";
import type { RepositoryPull } from "./pull-plan.ts";

export interface PullProgress {
  readonly doneBytes: number;
  /** Of what is not there yet. */
  readonly totalBytes: number;
}

export interface PullOptions {
  /** Connections at the same time; default 8. */
  readonly connections?: number;
  /** Size of the parts that the connections take; only set by tests. */
  readonly segmentBytes?: number;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  /** Called when another process is downloading into the same folder. */
  readonly onWaiting?: () => void;
}

export interface PulledFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** False when it was there already. */
  readonly isNew: boolean;
}

const DOING = "download the model";
const DEFAULT_CONNECTIONS = 8;
/** Left free beside the files. */
const SPARE_BYTES = 64 * 1024 * 1024;
/** How often a file whose hash is wrong is downloaded. */
const HASH_ATTEMPTS = 2;
const MAX_METADATA_BYTES = 4096;

/**
 * Downloads repositories into their folders, one after the other, each with several connections. Files that are there and right
 * stay; interrupted downloads go on. Each file is compared with the Hub's hash before it gets its name, `config.json` last.
 *
 * @throws {HiggsError} VOLUME_UNAVAILABLE when there is too little space or a file cannot be written
 * @throws {HiggsError} MODEL_CORRUPT when the server sends other bytes than the Hub has
 * @throws {HiggsError} MODEL_NOT_FOUND when files cannot be had
 * @throws {HiggsError} CANCELLED when the client's signal fires
 */
export async function pullModel(
  client: HubClient,
  pulls: readonly RepositoryPull[],
  options: PullOptions = {},
): Promise<PulledFile[]> {
  const pulled: PulledFile[] = [];
  for (const pull of pulls) {
    const { signal } = client;
    try {
      await makeFolders(pull.folder);
      const lock = { signal, onWaiting: options.onWaiting };
      pulled.push(
        ...(await withFileLock(join(pull.folder, ".pull.lock"), lock, () => pullFiles(client, pull, options))),
      );
    } catch (error) {
      if (signal.aborted) throw new HiggsError("CANCELLED", DOING, "it was stopped; the same command continues it");
      throw volumeError(DOING, pull.folder, error);
    }
  }
  return pulled;
}

async function pullFiles(client: HubClient, pull: RepositoryPull, options: PullOptions): Promise<PulledFile[]> {
  const missing: HubFile[] = [];
  for (const file of pull.files) if (!(await isThere(pull, file))) missing.push(file);
  const sizes = await Promise.all(
    missing.map((file) => downloadedBytes(join(pull.folder, file.path), file, options.segmentBytes)),
  );
  const presentBytes = sizes.reduce((sum, size) => sum + size, 0);
  const totalBytes = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await checkSpace(pull.folder, totalBytes - presentBytes);
  let doneBytes = presentBytes;
  const count = (bytes: number): void => {
    doneBytes += bytes;
    options.onProgress?.({ doneBytes, totalBytes });
  };
  for (const file of missing) {
    await pullFile(client, pull, file, { ...options, count });
    await writeMetadata(pull, file);
  }
  const isNew = new Set(missing);
  return pull.files.map((file) => ({
    path: join(pull.folder, file.path),
    sizeBytes: file.sizeBytes,
    isNew: isNew.has(file),
  }));
}

async function pullFile(
  client: HubClient,
  { repository, commit, folder }: RepositoryPull,
  file: HubFile,
  { connections = DEFAULT_CONNECTIONS, segmentBytes, count }: PullOptions & { readonly count: (bytes: number) => void },
): Promise<void> {
  const path = join(folder, file.path);
  for (let attempt = 1; ; attempt++) {
    await using partial = await PartialFile.open(path, file, segmentBytes);
    const tasks = new BoundedTasks(connections);
    try {
      for (const segment of partial.missing()) {
        await tasks.start(async () => {
          await client.download({ repository, commit, file, ...segment }, async (bytes, position) => {
            await partial.write(bytes, position);
            count(bytes.byteLength);
          });
          await partial.finishSegment(segment);
        });
      }
      await tasks.finish();
    } finally {
      await tasks.settle();
    }
    if (await partial.finish()) return;
    count(-file.sizeBytes);
    if (attempt >= HASH_ATTEMPTS) {
      throw new HiggsError("MODEL_CORRUPT", DOING, `${file.path} is not what the Hub has: its hash is wrong`);
    }
  }
}

/** Whether a file is there and right: by the note of an earlier download, else by its hash. */
async function isThere(pull: RepositoryPull, file: HubFile): Promise<boolean> {
  const path = join(pull.folder, file.path);
  const size = await stat(path).then(
    (status) => (status.isFile() ? status.size : -1),
    () => -1,
  );
  if (size !== file.sizeBytes) return false;
  if ((await readNotedHash(pull.folder, file)) === file.hash.hex) return true;
  if ((await hashFile(path, file)) !== file.hash.hex) return false;
  await writeMetadata(pull, file);
  return true;
}

/** Where Hugging Face's own tools note what they have downloaded into a folder; `higgs models verify` reads it too. */
function metadataPath(folder: string, file: HubFile): string {
  return join(folder, ".cache", "huggingface", "download", `${file.path}.metadata`);
}

async function readNotedHash(folder: string, file: HubFile): Promise<string | null> {
  const text = await readRegularFile(metadataPath(folder, file), {
    subject: "read the download's metadata",
    missing: "MODEL_NOT_FOUND",
    refused: "MODEL_CORRUPT",
    maxBytes: MAX_METADATA_BYTES,
  }).catch(() => null);
  return text?.toString("utf8").split("\n")[1]?.trim() ?? null;
}

/** Commit, hash and time, a line each. */
async function writeMetadata({ folder, commit }: RepositoryPull, file: HubFile): Promise<void> {
  const path = metadataPath(folder, file);
  await makeFolders(dirname(path));
  await rm(path, { force: true });
  await writeAtomically(path, `${commit}\n${file.hash.hex}\n${Date.now() / 1000}\n`, { isDurable: false });
}

async function checkSpace(folder: string, neededBytes: number): Promise<void> {
  if (neededBytes === 0) return;
  const status = await statfs(folder).catch(() => null);
  // Some network file systems do not report it; then writing will fail.
  if (status === null || status.blocks === 0) return;
  const freeBytes = status.bavail * status.bsize;
  if (freeBytes >= neededBytes + SPARE_BYTES) return;
  const sizes = `got ${freeBytes} bytes, needed ${neededBytes + SPARE_BYTES}`;
  throw new HiggsError("VOLUME_UNAVAILABLE", DOING, `too little free space in ${folder} (${sizes})`);
}
