/** A place where two JSON-like values differ. */
export interface Difference {
  /** For example `prompts[0].ids[7]`; empty for the root. */
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** The first place where two JSON-like values (typed arrays count as arrays) differ, or null; types must match too. */
export function firstDifference(expected: unknown, actual: unknown, path = ""): Difference | null {
  if (isList(expected) && isList(actual)) return firstListDifference(expected, actual, path);
  if (isRecord(expected) && isRecord(actual)) return firstRecordDifference(expected, actual, path);
  return Object.is(expected, actual) ? null : { path, expected, actual };
}

/** One line for a report: where, expected, got. */
export function describeDifference(difference: Difference): string {
  const place = difference.path === "" ? "value" : difference.path;
  return `${place}: expected ${shorten(difference.expected)}, got ${shorten(difference.actual)}`;
}

/** The largest absolute difference of two number lists, and where; NaN or another length counts as infinite. */
export function largestDifference(
  expected: ArrayLike<number>,
  actual: ArrayLike<number>,
): { largestError: number; index: number } {
  if (expected.length !== actual.length) {
    return { largestError: Number.POSITIVE_INFINITY, index: Math.min(expected.length, actual.length) };
  }
  let largestError = 0;
  let index = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = expected[i];
    const b = actual[i];
    const error = a === b ? 0 : Math.abs((a ?? Number.NaN) - (b ?? Number.NaN));
    if (Number.isNaN(error)) return { largestError: Number.POSITIVE_INFINITY, index: i };
    if (error > largestError) {
      largestError = error;
      index = i;
    }
  }
  return { largestError, index };
}

/** The smallest cosine of two lists' rows of `width` numbers; -1 … 1, -1 where a row is not finite or the lengths differ. */
export function smallestCosine(expected: Float32Array, actual: Float32Array, width: number): number {
  if (expected.length !== actual.length) return -1;
  let smallest = 1;
  for (let start = 0; start < expected.length; start += width) {
    let [product, squareExpected, squareActual] = [0, 0, 0];
    for (let i = start; i < start + width; i++) {
      const [a, b] = [expected[i] ?? 0, actual[i] ?? 0];
      product += a * b;
      squareExpected += a * a;
      squareActual += b * b;
    }
    if (squareExpected === 0 && squareActual === 0) continue;
    const cosine = product / Math.sqrt(squareExpected * squareActual);
    if (!Number.isFinite(cosine)) return -1;
    smallest = Math.min(smallest, cosine);
  }
  return smallest;
}

function firstListDifference(expected: ArrayLike<unknown>, actual: ArrayLike<unknown>, path: string) {
  const length = Math.min(expected.length, actual.length);
  for (let i = 0; i < length; i++) {
    const difference = firstDifference(expected[i], actual[i], `${path}[${i}]`);
    if (difference !== null) return difference;
  }
  if (expected.length === actual.length) return null;
  return { path: `${path}.length`, expected: expected.length, actual: actual.length };
}

function firstRecordDifference(expected: Record<string, unknown>, actual: Record<string, unknown>, path: string) {
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const difference = firstDifference(expected[key], actual[key], path === "" ? key : `${path}.${key}`);
    if (difference !== null) return difference;
  }
  return null;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !isList(value);
}

function shorten(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
