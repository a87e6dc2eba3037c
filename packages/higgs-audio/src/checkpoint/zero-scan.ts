import { HiggsError } from "@higgs-worker/base";
import { quote } from "./checkpoint-error.ts";
import { countElements, type TensorInfo } from "./tensor-source.ts";

/**
 * Zeros of this length inside a matrix are never weights. Smaller than the pieces in which downloaders that write into a
 * preallocated file work, of which some may be missing in the middle.
 */
const HOLE_BYTES = 512 * 1024;

/** Tables whose last rows may well be unused: reserved tokens, padding of the vocabulary, codes that never came up. */
const TABLE = /embed|lm_head|codebook/i;

/** Largest share of zero rows at the end of each kind of tensor that is taken for what was trained. */
const SHARES = { table: 0.05, matrix: 0.01, vector: 0.125 } as const;

/**
 * Looks for what a download leaves that broke off in a preallocated file: a tensor that is zero throughout, or from a row on.
 * Biases may be zero and are not looked at. Costs a look at the end of every piece and at each half megabyte.
 */
export class ZeroScan {
  readonly #tensor: Pick<TensorInfo, "name" | "shape" | "byteLength">;
  readonly #kind: keyof typeof SHARES | null;
  #scannedBytes = 0;
  /** After the last byte that is not zero. */
  #endOfData = 0;
  #hasHole = false;

  constructor(tensor: Pick<TensorInfo, "name" | "shape" | "byteLength">) {
    this.#tensor = tensor;
    this.#kind = kindOf(tensor);
  }

  /** The next bytes of the tensor, in order. */
  add(bytes: Uint8Array): void {
    if (this.#kind === null) return;
    const end = endOfData(bytes);
    if (end > 0) this.#endOfData = this.#scannedBytes + end;
    this.#scannedBytes += bytes.length;
    this.#hasHole ||= this.#kind === "matrix" && hasHole(bytes);
  }

  /**
   * To be called when the whole tensor was seen.
   *
   * @throws {HiggsError} MODEL_CORRUPT when all of it is zero
   */
  finish(): void {
    const { name, shape, byteLength } = this.#tensor;
    if (this.#kind === null || byteLength === 0) return;
    const rows = shape.find((size) => size > 1) ?? 1;
    const firstZeroRow = Math.ceil((this.#endOfData * rows) / byteLength);
    const zeroRows = rows - firstZeroRow;
    const isCut = rows > 1 && zeroRows >= Math.max(1, rows * SHARES[this.#kind]);
    if (this.#endOfData > 0 && !isCut && !this.#hasHole) return;
    const cut = isCut ? `it is zero from row ${firstZeroRow} of ${rows} on` : "it has a hole of zeros";
    const what = this.#endOfData === 0 ? "it is zero throughout" : cut;
    throw new HiggsError("MODEL_CORRUPT", `use tensor ${quote(name)}`, `${what}, as after a download that broke off`);
  }
}

function kindOf({ name, shape }: Pick<TensorInfo, "name" | "shape">): keyof typeof SHARES | null {
  // A single number, such as the scale of a toy model's only channel, may be anything.
  if (name.endsWith(".bias") || countElements(shape) <= 1) return null;
  if (shape.filter((size) => size > 1).length <= 1) return "vector";
  return TABLE.test(name) ? "table" : "matrix";
}

/** Index after the last byte that is not zero. */
function endOfData(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}

function hasHole(bytes: Uint8Array): boolean {
  for (let start = 0; start + HOLE_BYTES <= bytes.length; start += HOLE_BYTES) {
    let at = start;
    while (at < start + HOLE_BYTES && bytes[at] === 0) at += 1;
    if (at === start + HOLE_BYTES) return true;
  }
  return false;
}
