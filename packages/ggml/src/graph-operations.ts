import type { Bindings, Pointer } from "./bindings.ts";
import { GgmlError } from "./errors.ts";
import { type Shape, Tensor, contiguousStrides, toShape } from "./tensor.ts";
import { PRECISION_F32, ROPE_MODE_NEOX, TENSOR_TYPES, type TensorType } from "./types.ts";

export interface RopeOptions {
  /** Rotated dimensions of each head. */
  readonly dimensions: number;
  readonly frequencyBase: number;
  readonly contextLength: number;
}

/**
 * The operations of ggml.h that we use, with operands checked on our side first. Shapes in comments are in ggml's order,
 * fastest dimension first; `mulMat(a, b)` is b · aᵀ: [k, n] × [k, m] → [n, m].
 */
export class GraphOperations {
  readonly native: Bindings;
  protected readonly context: Pointer;

  constructor(native: Bindings, context: Pointer) {
    this.native = native;
    this.context = context;
  }

  /** Names an intermediate, with its layer when given: `attn_norm-3`. */
  name(tensor: Tensor, name: string, layer?: number): Tensor {
    this.native.setName(tensor.pointer, layer === undefined ? name : `${name}-${layer}`);
    return tensor;
  }

  // --- element by element; b is repeated along dimensions where it is 1 ---

  add(a: Tensor, b: Tensor): Tensor {
    this.#checkRepeatable("add", a, b);
    return this.#dense(this.native.add(this.context, a.pointer, b.pointer), a.type, a.shape);
  }

  mul(a: Tensor, b: Tensor): Tensor {
    this.#checkRepeatable("mul", a, b);
    return this.#dense(this.native.mul(this.context, a.pointer, b.pointer), a.type, a.shape);
  }

  scale(a: Tensor, factor: number): Tensor {
    return this.#dense(this.native.scale(this.context, a.pointer, factor), a.type, a.shape);
  }

  sqr(a: Tensor): Tensor {
    return this.#dense(this.native.sqr(this.context, a.pointer), a.type, a.shape);
  }

  sin(a: Tensor): Tensor {
    return this.#dense(this.native.sin(this.context, a.pointer), a.type, a.shape);
  }

  elu(a: Tensor): Tensor {
    this.#check("elu", a.isContiguous, a);
    return this.#dense(this.native.elu(this.context, a.pointer), a.type, a.shape);
  }

  /** Exact GELU (erf). */
  geluErf(a: Tensor): Tensor {
    this.#check("gelu_erf", a.isContiguous, a);
    return this.#dense(this.native.geluErf(this.context, a.pointer), a.type, a.shape);
  }

  /** silu(gate) ⊙ up. */
  swiglu(gate: Tensor, up: Tensor): Tensor {
    this.#check("swiglu", sameShape(gate, up) && gate.isContiguous && up.isContiguous, gate, up);
    return this.#dense(this.native.swigluSplit(this.context, gate.pointer, up.pointer), gate.type, gate.shape);
  }

  // --- normalization, along dimension 0 ---

  rmsNorm(a: Tensor, epsilon: number): Tensor {
    return this.#dense(this.native.rmsNorm(this.context, a.pointer, epsilon), a.type, a.shape);
  }

  /** (x − mean) / √(variance + ε). */
  norm(a: Tensor, epsilon: number): Tensor {
    return this.#dense(this.native.norm(this.context, a.pointer, epsilon), a.type, a.shape);
  }

  /** Normalizes groups of dimension 2 over dimensions 0 and 1 (and the channels of the group). */
  groupNorm(a: Tensor, groups: number, epsilon: number): Tensor {
    this.#check("group_norm", a.isContiguous && a.shape[2] % groups === 0, a);
    return this.#dense(this.native.groupNorm(this.context, a.pointer, groups, epsilon), a.type, a.shape);
  }

  /** Softmax over dimension 0 of a·scale + mask. */
  softMax(a: Tensor, mask: Tensor | null, scale: number): Tensor {
    this.#check("soft_max", a.isContiguous && (mask === null || mask.shape[0] === a.shape[0]), a);
    return this.#dense(
      this.native.softMaxExt(this.context, a.pointer, mask?.pointer ?? null, scale, 0),
      a.type,
      a.shape,
    );
  }

  // --- matrices ---

  /** a [k, n, …] × b [k, m, …] → f32 [n, m, …]; a's outer dimensions are repeated for b's. */
  mulMat(a: Tensor, b: Tensor, options: { precise?: boolean } = {}): Tensor {
    const fits =
      a.shape[0] === b.shape[0] &&
      b.shape[2] % a.shape[2] === 0 &&
      b.shape[3] % a.shape[3] === 0 &&
      a.strides[0] === TENSOR_TYPES[a.type].blockBytes;
    this.#check("mul_mat", fits, a, b);
    const pointer = this.native.mulMat(this.context, a.pointer, b.pointer);
    if (options.precise === true) this.native.mulMatSetPrec(pointer, PRECISION_F32);
    return this.#dense(pointer, "f32", [a.shape[1], b.shape[1], b.shape[2], b.shape[3]]);
  }

  /** Rows of a [n, rows] by ids i32 [m] → f32 [n, m]. */
  getRows(a: Tensor, ids: Tensor): Tensor {
    const fits = ids.type === "i32" && a.shape[2] === ids.shape[1] && a.shape[3] === ids.shape[2] && ids.shape[3] === 1;
    this.#check("get_rows", fits, a, ids);
    const pointer = this.native.getRows(this.context, a.pointer, ids.pointer);
    const type = a.type === "i32" ? "i32" : "f32";
    return this.#dense(pointer, type, [a.shape[0], ids.shape[0], ids.shape[1], ids.shape[2]]);
  }

  /** Writes rows b f32 [n, m] into a [n, rows] at ids i64 [m], in place; the result is a view of a. */
  setRows(a: Tensor, b: Tensor, ids: Tensor): Tensor {
    const fits =
      a.shape[0] === b.shape[0] &&
      a.shape[2] === b.shape[2] &&
      a.shape[3] === b.shape[3] &&
      b.shape[1] === ids.shape[0] &&
      b.type === "f32" &&
      ids.type === "i64" &&
      b.strides[0] === 4;
    this.#check("set_rows", fits, a, b, ids);
    const pointer = this.native.setRows(this.context, a.pointer, b.pointer, ids.pointer);
    return new Tensor(this.native, pointer, a.type, a.shape, a.strides);
  }

  // --- attention ---

  /** Rotary embedding, half-split (NEOX) layout. a [headDim, heads, tokens], positions i32 [tokens], factors f32 [dims/2]. */
  rope(a: Tensor, positions: Tensor, factors: Tensor | null, options: RopeOptions): Tensor {
    const fits =
      positions.type === "i32" &&
      positions.shape[0] === a.shape[2] &&
      options.dimensions <= a.shape[0] &&
      (factors === null || (factors.type === "f32" && factors.shape[0] >= options.dimensions / 2));
    this.#check("rope", fits, a, positions);
    const pointer = this.native.ropeExt(
      this.context,
      a.pointer,
      positions.pointer,
      factors?.pointer ?? null,
      options.dimensions,
      ROPE_MODE_NEOX,
      options.contextLength,
      options.frequencyBase,
      1,
      0,
      1,
      32,
      1,
    );
    return this.#dense(pointer, a.type, a.shape);
  }

  /**
   * Fused attention. q f32 [headDim, tokens, heads, n], k and v [headDim, kv, kvHeads, n] (f16, f32 …), mask f16
   * [kv, tokens, 1, 1 or n] with 0 or −∞ → f32 [headDim, heads, tokens, n].
   */
  flashAttention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | null,
    options: { scale: number; precise?: boolean },
  ): Tensor {
    const fits =
      q.shape[0] === k.shape[0] &&
      k.shape[1] === v.shape[1] &&
      k.shape[2] === v.shape[2] &&
      q.shape[2] % k.shape[2] === 0 &&
      q.shape[3] === k.shape[3] &&
      (mask === null ||
        (mask.type === "f16" && mask.isContiguous && mask.shape[0] === k.shape[1] && mask.shape[1] >= q.shape[1]));
    this.#check("flash_attn", fits, q, k, v);
    const pointer = this.native.flashAttnExt(
      this.context,
      q.pointer,
      k.pointer,
      v.pointer,
      mask?.pointer ?? null,
      options.scale,
      0,
      0,
    );
    if (options.precise === true) this.native.flashAttnExtSetPrec(pointer, PRECISION_F32);
    return this.#dense(pointer, "f32", [v.shape[0], q.shape[2], q.shape[1], q.shape[3]]);
  }

  // --- convolution helpers ---

  /**
   * Columns of a 1-D convolution. kernel [width, channelsIn, …] gives the width only, data f32 [time, channelsIn] →
   * [width · channelsIn, timeOut] of `type`.
   */
  im2col1d(
    kernel: Tensor,
    data: Tensor,
    options: { stride: number; padding: number; dilation: number; type: "f32" | "f16" },
  ): Tensor {
    const { stride, padding, dilation } = options;
    this.#check("im2col", kernel.shape[1] === data.shape[1] && data.type === "f32", kernel, data);
    const timeOut = Math.floor((data.shape[0] + 2 * padding - dilation * (kernel.shape[0] - 1) - 1) / stride) + 1;
    this.#check("im2col", timeOut > 0, kernel, data);
    const pointer = this.native.im2col(
      this.context,
      kernel.pointer,
      data.pointer,
      stride,
      0,
      padding,
      0,
      dilation,
      0,
      false,
      TENSOR_TYPES[options.type].id,
    );
    return this.#dense(pointer, options.type, [kernel.shape[0] * data.shape[1], timeOut, data.shape[2], 1]);
  }

  /** Overlap-add of a transposed 1-D convolution. columns [channels · width, time] → [(time − 1)·stride + width − 2·padding, channels]. */
  col2im1d(columns: Tensor, options: { stride: number; channels: number; padding: number }): Tensor {
    const { stride, channels, padding } = options;
    this.#check(
      "col2im_1d",
      columns.isContiguous && columns.shape[0] % channels === 0 && columns.shape[2] === 1,
      columns,
    );
    const width = columns.shape[0] / channels;
    const time = (columns.shape[1] - 1) * stride + width - 2 * padding;
    this.#check("col2im_1d", time > 0, columns);
    const pointer = this.native.col2im1d(this.context, columns.pointer, stride, channels, padding);
    return this.#dense(pointer, columns.type, [time, channels, 1, 1]);
  }

  // --- layout ---

  /** Same data, other shape; a must be contiguous. */
  reshape(a: Tensor, ...dimensions: readonly number[]): Tensor {
    const shape = toShape(dimensions);
    const count = shape[0] * shape[1] * shape[2] * shape[3];
    const fits = a.isContiguous && count === a.elementCount;
    this.#check(() => `reshape to [${shape.join(", ")}]`, fits, a);
    return this.#dense(this.native.reshape4d(this.context, a.pointer, ...shape), a.type, shape);
  }

  /** Part of a, without a copy. Strides in bytes for dimensions 1 … 3; absent ones follow densely. */
  view(
    a: Tensor,
    dimensions: readonly number[],
    options: { strides?: readonly number[]; byteOffset?: number } = {},
  ): Tensor {
    const shape = toShape(dimensions);
    const byteOffset = options.byteOffset ?? 0;
    const dense = contiguousStrides(a.type, shape);
    const nb1 = options.strides?.[0] ?? dense[1];
    const nb2 = options.strides?.[1] ?? nb1 * shape[1];
    const nb3 = options.strides?.[2] ?? nb2 * shape[2];
    const end = byteOffset + dense[1] + (shape[1] - 1) * nb1 + (shape[2] - 1) * nb2 + (shape[3] - 1) * nb3;
    const fits = byteOffset >= 0 && end <= extentOf(a);
    this.#check(() => `view of [${shape.join(", ")}] at ${byteOffset}`, fits, a);
    const pointer = this.native.view4d(this.context, a.pointer, ...shape, nb1, nb2, nb3, byteOffset);
    return new Tensor(this.native, pointer, a.type, shape, [dense[0], nb1, nb2, nb3]);
  }

  /** Dimension i of a becomes dimension axes[i] of the result. */
  permute(a: Tensor, axes: readonly [number, number, number, number]): Tensor {
    this.#check("permute", [...axes].toSorted((p, q) => p - q).join() === "0,1,2,3", a);
    const shape: [number, number, number, number] = [1, 1, 1, 1];
    const strides: [number, number, number, number] = [0, 0, 0, 0];
    for (const from of [0, 1, 2, 3] as const) {
      const to = axes[from] as 0 | 1 | 2 | 3;
      shape[to] = a.shape[from];
      strides[to] = a.strides[from];
    }
    return new Tensor(this.native, this.native.permute(this.context, a.pointer, ...axes), a.type, shape, strides);
  }

  /** Swaps dimensions 0 and 1, without a copy. */
  transpose(a: Tensor): Tensor {
    const [n0, n1, n2, n3] = a.shape;
    const [s0, s1, s2, s3] = a.strides;
    return new Tensor(
      this.native,
      this.native.transpose(this.context, a.pointer),
      a.type,
      [n1, n0, n2, n3],
      [s1, s0, s2, s3],
    );
  }

  /** A dense copy. */
  cont(a: Tensor): Tensor {
    return this.#dense(this.native.cont(this.context, a.pointer), a.type, a.shape);
  }

  /** A dense copy of another type. */
  cast(a: Tensor, type: TensorType): Tensor {
    return this.#dense(this.native.cast(this.context, a.pointer, TENSOR_TYPES[type].id), type, a.shape);
  }

  /** Copies a into b (types may differ); the result is a view of b. */
  copy(a: Tensor, b: Tensor): Tensor {
    this.#check("cpy", a.elementCount === b.elementCount, a, b);
    return new Tensor(this.native, this.native.cpy(this.context, a.pointer, b.pointer), b.type, b.shape, b.strides);
  }

  concat(a: Tensor, b: Tensor, axis: 0 | 1 | 2 | 3): Tensor {
    const fits = a.type === b.type && a.shape.every((size, i) => i === axis || size === b.shape[i]);
    this.#check("concat", fits, a, b);
    const shape: [number, number, number, number] = [...a.shape];
    shape[axis] += b.shape[axis];
    return this.#dense(this.native.concat(this.context, a.pointer, b.pointer, axis), a.type, shape);
  }

  #dense(pointer: Pointer, type: TensorType, shape: Shape): Tensor {
    return new Tensor(this.native, pointer, type, shape);
  }

  #checkRepeatable(operation: string, a: Tensor, b: Tensor): void {
    this.#check(
      operation,
      b.shape.every((size, axis) => (a.shape[axis] ?? 0) % size === 0),
      a,
      b,
    );
  }

  /** @param operation its name, which is only made when it is told */
  #check(operation: string | (() => string), fits: boolean, ...operands: readonly Tensor[]): void {
    if (fits) return;
    const name = typeof operation === "string" ? operation : operation();
    throw new GgmlError("shape-mismatch", name, `operands do not fit (got ${operands.join(" and ")})`);
  }
}

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.type === b.type && a.shape.every((size, axis) => size === b.shape[axis]);
}

/** Bytes from the first element to the end of the last one. */
function extentOf(a: Tensor): number {
  const { blockSize, blockBytes } = TENSOR_TYPES[a.type];
  const row =
    a.strides[0] === blockBytes ? (a.shape[0] / blockSize) * blockBytes : (a.shape[0] - 1) * a.strides[0] + blockBytes;
  return row + (a.shape[1] - 1) * a.strides[1] + (a.shape[2] - 1) * a.strides[2] + (a.shape[3] - 1) * a.strides[3];
}
