import { HiggsError } from "@higgs-worker/errors";

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EFBIG: "the file would become too large",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  EIO: "the device reports an error",
  ENOENT: "the folder is gone or cannot be made",
  ENOTDIR: "a part of the path is not a folder",
};

/** The code of a failed file operation, such as `EEXIST`; undefined for any other error. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** VOLUME_UNAVAILABLE for a failed operation in the cache folder; errors that are not the file system's stay as they are. */
export function volumeError(doing: string, path: string, error: unknown): unknown {
  const code = systemCodeOf(error);
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new HiggsError("VOLUME_UNAVAILABLE", `Cannot ${doing}: ${REASONS[code] ?? code} (got ${path})`, {
    cause: error,
  });
}
