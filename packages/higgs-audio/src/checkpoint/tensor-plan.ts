import { unsupportedBecause } from "./checkpoint-error.ts";
import { isFloatDtype, type FloatDtype } from "./convert-dtype.ts";
import { countElements, DTYPE_BYTES, formatShape, type TensorInfo } from "./tensor-source.ts";

/** How a tensor can be stored: whole, in several parts along the rows, or as a weight-norm pair. */
export type StoredForm =
  | { readonly kind: "rows"; readonly names: readonly string[] }
  | { readonly kind: "weight-norm"; readonly magnitude: string; readonly direction: string; readonly axis: number };

/** A tensor that a model of this configuration has, under the name that the rest of the code uses. */
export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Names under which a checkpoint may hold it, best first. */
  readonly forms: readonly StoredForm[];
  readonly isOptional: boolean;
}

/** Where the values of a tensor come from. */
export type TensorRecipe =
  | { readonly kind: "rows"; readonly parts: readonly TensorInfo[] }
  | {
      readonly kind: "weight-norm";
      readonly magnitude: TensorInfo;
      readonly direction: TensorInfo;
      readonly axis: number;
    };

/** A tensor of the model, found in the checkpoint. Splits and weight norm are hidden behind its reader. */
export interface CheckpointTensor {
  readonly name: string;
  /** Type of the values that `streamRows` gives: as stored, or F32 when parts differ or weight norm is fused. */
  readonly dtype: FloatDtype;
  /** PyTorch order. */
  readonly shape: readonly number[];
  /** Size of the last axis (ggml's `ne[0]`). */
  readonly rowLength: number;
  /** Product of all other axes. */
  readonly rowCount: number;
  readonly elementCount: number;
  readonly byteLength: number;
  readonly recipe: TensorRecipe;
}

/**
 * Finds every expected tensor among those of the files. Names for which `isIgnorable` holds are passed over, and tensors that
 * cannot be weights.
 *
 * @throws {HiggsError} MODEL_UNSUPPORTED listing all missing, unexpected, wrong-shaped and wrong-typed tensors
 */
export function planTensors(
  what: string,
  expected: readonly ExpectedTensor[],
  available: ReadonlyMap<string, TensorInfo>,
  isIgnorable: (name: string) => boolean,
): ReadonlyMap<string, CheckpointTensor> {
  const problems: string[] = [];
  const planned = new Map<string, CheckpointTensor>();
  for (const tensor of expected) {
    const form = chooseForm(tensor, available);
    if (form === null || (tensor.isOptional && !isReadable(form, available))) continue;
    const found = resolveForm(tensor, form, available, problems);
    if (found !== null) planned.set(tensor.name, found);
  }
  const known = new Set(expected.flatMap(({ forms }) => forms.flatMap(namesOf)));
  // Weights are floats: a tensor of another type under another name cannot be one that is named wrongly.
  for (const { name, dtype } of available.values()) {
    if (!known.has(name) && !isIgnorable(name) && isFloatDtype(dtype)) problems.push(`${name} is unexpected`);
  }
  if (problems.length > 0) throw unsupportedBecause(what, problems);
  return planned;
}

function namesOf(form: StoredForm): readonly string[] {
  return form.kind === "rows" ? form.names : [form.magnitude, form.direction];
}

/**
 * The first form that is there completely; else the one of which most is there, so that the error names what is missing
 * from it; null for an optional tensor of which nothing is there.
 */
function chooseForm(tensor: ExpectedTensor, available: ReadonlyMap<string, TensorInfo>): StoredForm | null {
  let best: { readonly form: StoredForm; readonly present: number } | null = null;
  for (const form of tensor.forms) {
    const names = namesOf(form);
    const present = names.filter((name) => available.has(name)).length;
    if (present === names.length) return form;
    if (best === null || present > best.present) best = { form, present };
  }
  if (best === null || (best.present === 0 && tensor.isOptional)) return null;
  return best.form;
}

function isReadable(form: StoredForm, available: ReadonlyMap<string, TensorInfo>): boolean {
  return namesOf(form).every((name) => isFloatDtype(available.get(name)?.dtype ?? "F32"));
}

function resolveForm(
  tensor: ExpectedTensor,
  form: StoredForm,
  available: ReadonlyMap<string, TensorInfo>,
  problems: string[],
): CheckpointTensor | null {
  const before = problems.length;
  const parts = namesOf(form).flatMap((name) => {
    const part = available.get(name);
    if (part === undefined) problems.push(`${name} is missing`);
    else if (!isFloatDtype(part.dtype)) problems.push(`${name} has the type ${part.dtype}, expected a float type`);
    return part ?? [];
  });
  if (problems.length > before) return null;
  checkShapes(tensor, form, parts, problems);
  return problems.length > before ? null : describe(tensor, form, parts);
}

function checkShapes(tensor: ExpectedTensor, form: StoredForm, parts: readonly TensorInfo[], problems: string[]): void {
  if (form.kind === "weight-norm") {
    const [magnitude, direction] = parts;
    checkShape(direction, tensor.shape, problems);
    checkShape(
      magnitude,
      tensor.shape.map((size, axis) => (axis === form.axis ? size : 1)),
      problems,
    );
  } else if (parts.length === 1) {
    checkShape(parts[0], tensor.shape, problems);
  } else {
    checkRowParts(tensor, parts, problems);
  }
}

function checkShape(part: TensorInfo | undefined, expected: readonly number[], problems: string[]): void {
  if (part === undefined || isSameShape(part.shape, expected)) return;
  problems.push(`${part.name} has the shape ${formatShape(part.shape)}, expected ${formatShape(expected)}`);
}

/** Parts are concatenated on the row axis (spec model §3.3.2): the other axes must agree and the rows add up. */
function checkRowParts(tensor: ExpectedTensor, parts: readonly TensorInfo[], problems: string[]): void {
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  const tail = tensor.shape.slice(1);
  const fits = parts.every((part) => isSameShape(part.shape.slice(1), tail)) && rows === tensor.shape[0];
  if (fits) return;
  const names = parts.map((part) => `${part.name} ${formatShape(part.shape)}`).join(" and ");
  problems.push(`${names} do not add up to the shape ${formatShape(tensor.shape)}`);
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function describe(tensor: ExpectedTensor, form: StoredForm, parts: readonly TensorInfo[]): CheckpointTensor {
  const { name, shape } = tensor;
  const dtype = form.kind === "rows" ? commonDtype(parts) : "F32";
  const elementCount = countElements(shape);
  const rowLength = shape.at(-1) ?? 1;
  return {
    name,
    dtype,
    shape,
    rowLength,
    rowCount: rowLength === 0 ? 0 : elementCount / rowLength,
    elementCount,
    byteLength: elementCount * DTYPE_BYTES[dtype],
    recipe: makeRecipe(form, parts),
  };
}

function commonDtype(parts: readonly TensorInfo[]): FloatDtype {
  const [first, ...others] = new Set(parts.map(({ dtype }) => dtype));
  return first !== undefined && others.length === 0 && isFloatDtype(first) ? first : "F32";
}

function makeRecipe(form: StoredForm, parts: readonly TensorInfo[]): TensorRecipe {
  if (form.kind === "rows") return { kind: "rows", parts };
  const [magnitude, direction] = parts;
  if (magnitude === undefined || direction === undefined) throw new RangeError("a weight-norm pair has two tensors");
  return { kind: "weight-norm", magnitude, direction, axis: form.axis };
}
