import { HiggsError, isMissing, systemReason } from "@higgs-worker/base";

const MAX_CLIPPED_LENGTH = 120;
const MAX_PROBLEMS_IN_MESSAGE = 10;

/** A name from a file that may be hostile, made safe for a message: quoted, escaped, of bounded length. */
export function quote(name: string): string {
  return JSON.stringify(clip(name));
}

/** At most the first 120 characters of a text. */
export function clip(text: string): string {
  return text.length > MAX_CLIPPED_LENGTH ? `${text.slice(0, MAX_CLIPPED_LENGTH)}…` : text;
}

/** MODEL_CORRUPT: the file is truncated, malformed or hostile. */
export function corrupt(fileName: string, why: string, cause?: unknown): HiggsError {
  return new HiggsError("MODEL_CORRUPT", `read ${fileName}`, why, { cause });
}

/** MODEL_UNSUPPORTED: the file is well-formed but holds something that this build cannot use. */
export function unsupported(fileName: string, why: string): HiggsError {
  return new HiggsError("MODEL_UNSUPPORTED", `use ${fileName}`, why);
}

/** One MODEL_UNSUPPORTED that lists all problems; the message holds the first ten, `problems` all of them. */
export function unsupportedBecause(what: string, problems: readonly string[]): HiggsError {
  const shown = problems.slice(0, MAX_PROBLEMS_IN_MESSAGE);
  const rest = problems.length - shown.length;
  const tail = rest > 0 ? `; and ${rest} more` : "";
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new HiggsError("MODEL_UNSUPPORTED", `use ${what}`, `${count}: ${shown.join("; ")}${tail}`, { problems });
}

/** What a failed file operation means for the reader of the message. */
export function fileError(path: string, verb: string, error: unknown): HiggsError {
  const [code, reason] = isMissing(error)
    ? (["MODEL_NOT_FOUND", "no such file"] as const)
    : (["VOLUME_UNAVAILABLE", systemReason(error)] as const);
  return new HiggsError(code, `${verb} ${path}`, reason, { cause: error });
}
