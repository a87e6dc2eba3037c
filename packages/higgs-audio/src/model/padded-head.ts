import { type Backend, rowBytes, type Tensor } from "@higgs-worker/ggml";
import type { WeightTensor } from "./weight-source.ts";

/**
 * What ggml's tensor-core kernel for 2 to 16 columns of float weights wants the rows of a matrix to be a multiple of
 * (MMF_ROWS_PER_BLOCK in ggml-cuda/mmf.cuh). Other matrices go to cuBLAS. Of the released model only the audio head is one,
 * with 8 · 1026 rows.
 */
const DEVICE_ROW_MULTIPLE = 32;

/** What the rows of the audio head are rounded up to on a backend. A CPU gains nothing from it. */
export function headRowMultipleOf(backend: Backend): number {
  return backend.isHost ? 1 : DEVICE_ROW_MULTIPLE;
}

/** The shape of the audio head on a device. */
export function paddedShape([width = 0, rows = 0]: readonly number[], rowMultiple: number): [number, number] {
  return [width, Math.ceil(rows / rowMultiple) * rowMultiple];
}

/** Bytes of the rows that the source has. */
export function storedBytes(head: Tensor, { shape: [width = 0, rows = 0] }: WeightTensor): number {
  return rowBytes(head.type, width) * rows;
}

/** Zeroes the rows behind them: what lies there would be multiplied otherwise, and may be no number. */
export function clearPadding(head: Tensor, stored: WeightTensor): void {
  const start = storedBytes(head, stored);
  if (start < head.byteLength) head.fill(0, start);
}
