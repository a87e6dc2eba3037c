import * as v from "valibot";
import { clip, unsupportedBecause } from "./checkpoint-error.ts";
import type { JsonObject } from "./strict-json.ts";

/**
 * Building blocks of the configuration schemas. Bounds are generous (ten times the released model and more), but small
 * enough that no product of two fields can overflow or ask for absurd memory.
 */

/** A whole number in a range. */
export function integer(minimum: number, maximum: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum));
}

/** A finite number in a range whose lower end is excluded. */
export function positive(maximum: number) {
  return v.pipe(v.number(), v.finite(), v.gtValue(0), v.maxValue(maximum));
}

/** Width of a hidden layer. */
export const WIDTH = integer(1, 65_536);
/** Width of a feed-forward layer. */
export const WIDE = integer(1, 1_048_576);
/** Number of layers. Each makes a dozen tensors, and a header has room for 65 536. */
export const LAYERS = integer(1, 1024);
/** Number of heads. */
export const HEADS = integer(1, 1024);
/** Size of a vocabulary; also bounds token ids. */
export const VOCABULARY = integer(1, 16_777_216);
export const TOKEN_ID = integer(0, 16_777_215);
export const OPTIONAL_TOKEN_ID = v.nullish(TOKEN_ID, null);

/** A list of a few items. Its length is checked first, so that a hostile list cannot make a million problems. */
export function shortList<TItem extends v.GenericSchema<number, number>>(item: TItem, maxLength: number) {
  return v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(maxLength), v.array(item));
}

/** A switch of the reference that this implementation does not have: absent, null, false and 0 are all "off". */
export const OFF = v.optional(
  v.pipe(
    v.unknown(),
    v.check((value) => value === undefined || value === null || value === false || value === 0, expected("off")),
  ),
);

/** A switch that must be on, and whose default in the reference is off. */
export const ON = v.pipe(
  v.unknown(),
  v.check((value) => value === true, expected("true")),
);

/** A field that must have one value. When it is absent the reference uses that value too. */
export function only(value: string | number | boolean) {
  return v.optional(
    v.pipe(
      v.unknown(),
      v.check((actual) => actual === value, expected(JSON.stringify(value))),
    ),
  );
}

function expected(what: string) {
  return (issue: { readonly received: string }) => `is not supported (got ${issue.received}, expected ${what})`;
}

/** Problems as `field: what is wrong`, for the one error that lists them all. */
function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string[] {
  return issues.map((issue) => `${v.getDotPath(issue) ?? "config"}: ${clip(issue.message)}`);
}

/**
 * Checks a configuration against its schema; `moreProblems` are those that concern several fields.
 *
 * @throws {HiggsError} MODEL_UNSUPPORTED listing all problems of the schema and `moreProblems`
 */
export function checkConfig<TSchema extends v.GenericSchema>(
  what: string,
  schema: TSchema,
  raw: JsonObject,
  moreProblems: readonly string[],
): v.InferOutput<TSchema> {
  const result = v.safeParse(schema, raw);
  const problems = [...(result.success ? [] : describeIssues(result.issues)), ...moreProblems];
  if (!result.success || problems.length > 0) throw unsupportedBecause(what, problems);
  return result.output;
}
