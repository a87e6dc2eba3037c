/**
 * The one registry of error codes (spec contract §4). A code never changes its meaning; `docs/ERRORS.md` is generated from here.
 * `httpStatus` is what the local API answers, `isRetryable` whether the same request can succeed later without a change.
 */
export interface ErrorDefinition {
  readonly httpStatus: number;
  readonly isRetryable: boolean;
  /**
   * True = the machine, its files or its device failed, not the request: a worker to which this happens again and again is
   * to be replaced. Absent: false.
   */
  readonly isMachineFault?: boolean;
  /** What happened, for the documentation table. */
  readonly meaning: string;
  /** What the reader should do about it. */
  readonly fix: string;
}

export const ERRORS = {
  INVALID_INPUT: {
    httpStatus: 400,
    isRetryable: false,
    meaning: "The request or a command's argument is wrong",
    fix: "Change the named field; the message gives the value and the limit",
  },
  VOICE_NOT_FOUND: {
    httpStatus: 404,
    isRetryable: false,
    meaning: "No voice with that name exists",
    fix: "Use a name from `higgs voices list`, or add the voice",
  },
  REFERENCE_INVALID: {
    httpStatus: 400,
    isRetryable: false,
    meaning: "The reference audio cannot be used",
    fix: "Send a supported audio file of a few seconds of clear speech",
  },
  REFERENCE_REFUSED: {
    httpStatus: 403,
    isRetryable: false,
    meaning: "The reference audio's address is not allowed",
    fix: "Use a public https address, a data URI, or base64",
  },
  NOT_SUPPORTED: {
    httpStatus: 501,
    isRetryable: false,
    meaning: "The field or value is part of the contract but this build does not support it yet",
    fix: "Leave the field out, or use a build that supports it",
  },
  MODEL_NOT_FOUND: {
    httpStatus: 503,
    isRetryable: false,
    isMachineFault: true,
    meaning: "No checkpoint was found where the model was looked for",
    fix: "Download the checkpoint with `higgs models pull` or set HIGGS_MODEL_PATH; `higgs models where` shows the search order",
  },
  MODEL_CORRUPT: {
    httpStatus: 503,
    isRetryable: false,
    isMachineFault: true,
    meaning: "A checkpoint file is truncated, malformed or hostile",
    fix: "Download the checkpoint again; `higgs models verify DIR` checks it",
  },
  MODEL_UNSUPPORTED: {
    httpStatus: 503,
    isRetryable: false,
    isMachineFault: true,
    meaning: "The checkpoint is readable but is not a Higgs Audio V2 model that this build can run",
    fix: "Use a checkpoint in the boson or native layout of Higgs Audio V2",
  },
  DEVICE_UNAVAILABLE: {
    httpStatus: 503,
    isRetryable: false,
    isMachineFault: true,
    meaning: "The compute device or its library cannot be used",
    fix: "Run `higgs doctor`; choose another HIGGS_DEVICE or install the named package",
  },
  OUT_OF_MEMORY: {
    httpStatus: 503,
    isRetryable: false,
    meaning: "The device or the host has too little memory for the model or the request",
    fix: "Use smaller weights (HIGGS_WEIGHTS=q4_k), a smaller HIGGS_CONTEXT, or a larger device",
  },
  ENGINE_CRASHED: {
    httpStatus: 503,
    isRetryable: true,
    isMachineFault: true,
    meaning: "The engine ended while it worked on the request",
    fix: "Send the request again; report it if it happens again with the same request",
  },
  CONTEXT_OVERFLOW: {
    httpStatus: 400,
    isRetryable: false,
    meaning: "Prompt, references and audio to be made do not fit the context",
    fix: "Shorten the text or the references, use chunk_method, or set generation_chunk_buffer_size",
  },
  GENERATION_FAILED: {
    httpStatus: 500,
    isRetryable: true,
    meaning: "The model produced no usable audio",
    fix: "Try another seed or a lower temperature",
  },
  AUDIO_TRUNCATED: {
    httpStatus: 422,
    isRetryable: false,
    meaning: "The audio ended before its text did, and could not be completed",
    fix: "Leave chunk_method out, raise max_new_tokens, or try another seed; allow_truncated takes the audio as it is",
  },
  STORAGE_NOT_CONFIGURED: {
    httpStatus: 400,
    isRetryable: false,
    meaning: "The delivery needs a bucket, an endpoint or credentials that are not set or can never work",
    fix: "Set the AWS_* and S3_BUCKET variables, send s3_bucket, or choose delivery base64",
  },
  STORAGE_DENIED: {
    httpStatus: 502,
    isRetryable: false,
    meaning: "The object store refused the upload, or the output folder the file",
    fix: "Check the credentials, that they may write to the bucket, and the key's name; for files, the folder's permissions",
  },
  STORAGE_FAILED: {
    httpStatus: 502,
    isRetryable: true,
    meaning: "The audio was made but could not be stored",
    fix: "Check the store and the path; where the error names a file, the audio is kept there; else send the request again",
  },
  RESULT_TOO_LARGE: {
    httpStatus: 413,
    isRetryable: false,
    meaning: "The audio does not fit the platform's result limit",
    fix: "Deliver to S3, or ask for less audio",
  },
  DEADLINE_EXCEEDED: {
    httpStatus: 504,
    isRetryable: true,
    meaning: "The time allowed for the request ran out",
    fix: "Allow more time or ask for less audio",
  },
  CANCELLED: {
    httpStatus: 499,
    isRetryable: false,
    meaning: "The request was cancelled",
    fix: "Nothing to do; send it again if it is still wanted",
  },
  OVERLOADED: {
    httpStatus: 429,
    isRetryable: true,
    meaning: "Too many jobs wait, or too many bytes of them",
    fix: "Try again later or add workers",
  },
  SHUTTING_DOWN: {
    httpStatus: 503,
    isRetryable: true,
    meaning: "The worker is stopping",
    fix: "Send the request again; another worker takes it",
  },
  VOLUME_UNAVAILABLE: {
    httpStatus: 503,
    isRetryable: false,
    isMachineFault: true,
    meaning: "A folder that the worker needs cannot be read or written",
    fix: "Attach the network volume and check its permissions; `higgs doctor` shows which folder",
  },
  RUNPOD_NOT_CONFIGURED: {
    httpStatus: 400,
    isRetryable: false,
    meaning: "A command needs a key of RunPod's API that is not set",
    fix: "Set the named variable in the environment or in a file `.env` in this folder; keys are made at https://console.runpod.io/user/settings",
  },
  RUNPOD_DENIED: {
    httpStatus: 403,
    isRetryable: false,
    meaning: "RunPod's API does not accept the key, or the key may not do this",
    fix: "Check that RUNPOD_API_KEY is complete, not expired, and may write; make another key if in doubt",
  },
  RUNPOD_REFUSED: {
    httpStatus: 400,
    isRetryable: false,
    meaning: "RunPod's API refused a request",
    fix: "Change what the message names; `--dry-run` shows the requests",
  },
  RUNPOD_UNAVAILABLE: {
    httpStatus: 502,
    isRetryable: true,
    meaning: "RunPod's API cannot be reached, fails, or asks to wait longer than a command waits",
    fix: "Run the command again later: it goes on where it stopped",
  },
  INTERNAL: {
    httpStatus: 500,
    isRetryable: true,
    meaning: "A defect in this software",
    fix: "Report it with the message and the log",
  },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERRORS;
