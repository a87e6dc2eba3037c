export type GgmlErrorKind =
  /** No prebuilt library for this platform or device is installed. */
  | "library-not-found"
  /** The library was found but cannot be loaded, or lacks a function. */
  | "library-invalid"
  | "device-not-found"
  /** A buffer could not be allocated. */
  | "allocation-failed"
  /** A graph computation returned a status other than success. */
  | "compute-failed"
  /** An operand's type or shape does not fit the operation; found on our side, since ggml would abort the process. */
  | "shape-mismatch"
  /** A handle was used after it was disposed, or disposed while in use. */
  | "disposed"
  | "gguf-invalid";

/** Every error of this package. `kind` is stable; the message is `Cannot <subject>: <reason>`, with the values. */
export class GgmlError extends Error {
  override readonly name = "GgmlError";
  readonly kind: GgmlErrorKind;
  /** What could not be done. */
  readonly subject: string;
  readonly reason: string;

  constructor(kind: GgmlErrorKind, subject: string, reason: string, cause?: unknown) {
    super(`Cannot ${subject}: ${reason}`, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.subject = subject;
    this.reason = reason;
  }
}
