import { type ErrorCode, HiggsError, isHiggsError } from "@higgs-worker/base";
import { GgmlError, type GgmlErrorKind } from "@higgs-worker/ggml";

const CODES: Readonly<Record<GgmlErrorKind, ErrorCode>> = {
  "library-not-found": "DEVICE_UNAVAILABLE",
  "library-invalid": "DEVICE_UNAVAILABLE",
  "device-not-found": "DEVICE_UNAVAILABLE",
  "allocation-failed": "OUT_OF_MEMORY",
  "compute-failed": "GENERATION_FAILED",
  "gguf-invalid": "MODEL_CORRUPT",
  "shape-mismatch": "INTERNAL",
  disposed: "INTERNAL",
};

/** An error of the ggml layer under a code of the registry; other errors as they are. */
export function fromGgmlError(error: unknown): unknown {
  return error instanceof GgmlError
    ? new HiggsError(CODES[error.kind], error.subject, error.reason, { cause: error })
    : error;
}

/** Runs an action and maps errors of the ggml layer to codes of the registry. */
export async function withGgmlErrors<T>(action: () => Promise<T> | T): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw fromGgmlError(error);
  }
}

/** Whether an error says that a device, or the host, had too little memory. */
export function isOutOfMemory(error: unknown): boolean {
  if (error instanceof GgmlError) return error.kind === "allocation-failed";
  return isHiggsError(error) && error.code === "OUT_OF_MEMORY";
}
