import { HiggsError } from "@higgs-worker/base";
import type { Volume } from "runpod-deploy";
import type { Config } from "../config/settings.ts";
import { discardBody } from "../network/http-request.ts";
import type { AttemptOptions } from "../storage/attempts.ts";
import { attemptUpload, refused } from "../storage/s3/put-object.ts";
import { S3Client } from "../storage/s3/s3-client.ts";
import { createS3Store } from "../storage/s3/s3-store.ts";
import { resolveS3Target, type S3Target } from "../storage/s3/target.ts";
import { filesBelow, type LocalFile, openSource, sha256OfFile } from "./local-files.ts";

/** A folder of this machine that goes onto the volume. */
export interface FolderToCopy {
  readonly folder: string;
  /** Below the volume's root, without a slash at the end. */
  readonly target: string;
}

export interface FillFromHere {
  readonly config: Config;
  readonly volume: Volume;
  readonly folders: readonly FolderToCopy[];
  readonly onLine: (line: string) => Promise<void>;
  readonly signal: AbortSignal;
  /** True copies files that are there with the same size too. */
  readonly isForced: boolean;
  readonly attempts?: AttemptOptions;
  /** Size of parts, and of what is uploaded in one piece; 64 MiB unless given. */
  readonly partBytes?: number;
}

export interface Filled {
  readonly copied: number;
  /** Files that the volume had already, by their size. */
  readonly present: number;
  readonly bytes: number;
}

/** RunPod takes parts of at most 500 MB and single uploads of less than that; smaller ones cost less when one fails. */
const PART_BYTES = 64 * 1024 * 1024;
/** RunPod advises ten attempts, because its S3 answers 502 at times. */
const MAX_ATTEMPTS = 10;
/** A part on a slow line, with all its attempts. */
const PART_TIMEOUT_MS = 30 * 60_000;
const BYTES_PER_GB = 1_000_000_000;
/** A folder counts as a checkpoint when it has this file, so it comes last. */
const LAST_FILE = "config.json";

/**
 * Copies folders onto a volume through RunPod's S3. Files that are there with the same size are left alone, so that an
 * interrupted copy goes on.
 *
 * @throws {HiggsError} RUNPOD_NOT_CONFIGURED without keys of RunPod's S3
 * @throws {HiggsError} INVALID_INPUT when the volume is too small
 * @throws {HiggsError} MODEL_NOT_FOUND when a folder cannot be read
 * @throws {HiggsError} STORAGE_* when a file cannot be stored, CANCELLED when the signal fires
 */
export async function fillFromHere(fill: FillFromHere): Promise<Filled> {
  const target = volumeTarget(fill);
  const files = (await Promise.all(fill.folders.map(filesOf))).flat();
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total > fill.volume.size * BYTES_PER_GB) {
    const sizes = `got ${Math.ceil(total / BYTES_PER_GB)} GB of files, limit ${fill.volume.size} GB`;
    throw new HiggsError(
      "INVALID_INPUT",
      "fill the network volume",
      `it is too small (${sizes}): \`higgs volume create\` with the same name and a larger --size grows it`,
    );
  }
  const client = new S3Client(target);
  const store = createS3Store(target, { maxAttempts: MAX_ATTEMPTS, ...fill.attempts });
  let copied = 0;
  for (const [index, file] of files.entries()) {
    const at = `${index + 1}/${files.length} ${file.name}`;
    if (!fill.isForced && (await sizeThere(client, file.name, fill)) === file.sizeBytes) {
      await fill.onLine(`${at}: there already`);
      continue;
    }
    await fill.onLine(`${at}: ${(file.sizeBytes / 1_000_000).toFixed(1)} MB`);
    const sha256 = await sha256OfFile(file.path, fill.signal);
    await using audio = await openSource(file);
    const request = { key: file.name, mimeType: "application/octet-stream", audio, sha256 };
    await store.put(request, { signal: fill.signal });
    copied++;
  }
  return { copied, present: files.length - copied, bytes: total };
}

async function filesOf({ folder, target }: FolderToCopy): Promise<LocalFile[]> {
  const files = (await filesBelow(folder)).map((file) => ({ ...file, name: `${target}/${file.name}` }));
  const isLast = ({ name }: LocalFile): boolean => name === `${target}/${LAST_FILE}`;
  return [...files.filter((file) => !isLast(file)), ...files.filter(isLast)];
}

/** Bytes of the file on the volume; null when there is none. */
function sizeThere(client: S3Client, key: string, { signal, attempts }: FillFromHere): Promise<number | null> {
  const options = { maxAttempts: MAX_ATTEMPTS, ...attempts };
  return attemptUpload({ client, byteCount: 0, signal }, options, async (stop) => {
    const answer = await client.send({ method: "HEAD", key, signal: stop });
    if (answer.status === 404) return null;
    if (answer.refusal !== null) return refused(answer.refusal, answer);
    await discardBody(answer);
    const length = answer.headers.get("content-length");
    return length === null ? null : Number(length);
  });
}

function volumeTarget({ config, volume: { id, dataCenter }, partBytes = PART_BYTES }: FillFromHere): S3Target {
  const { runpodS3AccessKeyId: accessId, runpodS3SecretAccessKey: accessSecret } = config;
  if (accessId === null || accessSecret === null) {
    const missing = [
      ...(accessId === null ? ["RUNPOD_S3_ACCESS_KEY_ID"] : []),
      ...(accessSecret === null ? ["RUNPOD_S3_SECRET_ACCESS_KEY"] : []),
    ].join(" and ");
    const reason = `${missing} not set, also not in .env (a key of its own, under S3 API Keys); or let a pod do it: --pod`;
    throw new HiggsError("RUNPOD_NOT_CONFIGURED", "copy onto the network volume", reason);
  }
  const endpointUrl = config.runpodS3Url ?? `https://s3api-${dataCenter.toLowerCase()}.runpod.io`;
  const jobConfig = { accessId, accessSecret, bucketName: id, endpointUrl, objectPath: null, region: dataCenter };
  const target = resolveS3Target(config, { bucket: id, jobConfig });
  return {
    ...target,
    timeoutMs: PART_TIMEOUT_MS,
    // A volume's files have no headers, no metadata and no encryption of their own.
    upload: {
      ...target.upload,
      partBytes,
      contentDisposition: "none",
      cacheControl: null,
      keepsMetadata: false,
      encryption: "none",
      kmsKeyId: null,
      isNewOnly: false,
    },
  };
}
