/**
 * Constants of ggml.h and ggml-backend.h. Enum values are append-only upstream; `abi.test.ts` checks each one against the
 * loaded library's behavior.
 */

/** ggml_type: numeric id, elements per block and bytes per block. */
export const TENSOR_TYPES = {
  f32: { id: 0, blockSize: 1, blockBytes: 4 },
  f16: { id: 1, blockSize: 1, blockBytes: 2 },
  q4_0: { id: 2, blockSize: 32, blockBytes: 18 },
  q5_0: { id: 6, blockSize: 32, blockBytes: 22 },
  q8_0: { id: 8, blockSize: 32, blockBytes: 34 },
  q4_k: { id: 12, blockSize: 256, blockBytes: 144 },
  q5_k: { id: 13, blockSize: 256, blockBytes: 176 },
  q6_k: { id: 14, blockSize: 256, blockBytes: 210 },
  iq4_nl: { id: 20, blockSize: 32, blockBytes: 18 },
  i32: { id: 26, blockSize: 1, blockBytes: 4 },
  i64: { id: 27, blockSize: 1, blockBytes: 8 },
  bf16: { id: 30, blockSize: 1, blockBytes: 2 },
  mxfp4: { id: 39, blockSize: 32, blockBytes: 17 },
} as const;

export type TensorType = keyof typeof TENSOR_TYPES;

const NAMES_BY_ID = new Map<number, TensorType>();
for (const name of Object.keys(TENSOR_TYPES) as TensorType[]) NAMES_BY_ID.set(TENSOR_TYPES[name].id, name);

/** The type of a ggml_type id, or undefined for one that this package does not use. */
export function tensorTypeOf(id: number): TensorType | undefined {
  return NAMES_BY_ID.get(id);
}

/**
 * Bytes of one row of `elements` values.
 *
 * @throws {RangeError} when the row is not a whole number of blocks
 */
export function rowBytes(type: TensorType, elements: number): number {
  const { blockSize, blockBytes } = TENSOR_TYPES[type];
  if (elements % blockSize !== 0) {
    throw new RangeError(
      `Cannot store a row as ${type}: not a whole number of blocks (got ${elements}, block ${blockSize})`,
    );
  }
  return (elements / blockSize) * blockBytes;
}

/** ggml_status. */
export const STATUS = { allocationFailed: -2, failed: -1, success: 0, aborted: 1 } as const;

/** ggml_backend_dev_type, in order. */
export const DEVICE_KINDS = ["cpu", "gpu", "igpu", "accel", "meta"] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** ggml_backend_buffer_usage. */
export const BUFFER_USAGE = { any: 0, weights: 1, compute: 2 } as const;

/** ggml_log_level; 5 continues the previous line. */
export const LOG_LEVELS = ["none", "debug", "info", "warn", "error", "continue"] as const;
export type LogLevel = "debug" | "info" | "warn" | "error";

/** GGML_ROPE_TYPE_NEOX: dimension i pairs with i + n/2. */
export const ROPE_MODE_NEOX = 2;

/** GGML_PREC_F32. */
export const PRECISION_F32 = 10;

/** GGML_MAX_NAME, the terminating zero included. */
export const MAX_NAME_BYTES = 64;
