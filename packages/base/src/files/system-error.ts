import { HiggsError } from "../errors/higgs-error.ts";

/** The one table of what the operating system's codes mean, in words for messages. */
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
  EEXIST: "a part of the path is not a folder",
  EISDIR: "the path is a folder",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links lead in a circle",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ESTALE: "the network volume lost the file",
  ENOTEMPTY: "the folder is not empty",
  EBUSY: "it is in use",
};

/** The code of a failed system call, such as `EEXIST`; undefined for any other error. Node's `rm` calls some `ERR_FS_EISDIR`. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? /^(?:ERR_FS_)?(E[A-Z0-9]+)$/.exec(code)?.[1] : undefined;
}

/** Whether a system call failed because there is nothing of that name. */
export function isMissing(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** A failed system call in words; the bare code where the table has none, `unknown error` for errors of other kinds. */
export function systemReason(error: unknown): string {
  const code = systemCodeOf(error);
  return code === undefined ? "unknown error" : (REASONS[code] ?? code);
}

/** VOLUME_UNAVAILABLE for a failed file operation; errors that are not the file system's stay as they are. */
export function volumeError(subject: string, path: string, error: unknown): unknown {
  if (systemCodeOf(error) === undefined) return error;
  return new HiggsError("VOLUME_UNAVAILABLE", subject, `${systemReason(error)} (got ${path})`, { cause: error });
}
