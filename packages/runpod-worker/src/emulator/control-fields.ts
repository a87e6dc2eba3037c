import { isRecord } from "../protocol/is-record.ts";
import { PublicApiError } from "../public-api/public-api-error.ts";
import type { FaultAction, FaultRule } from "./faults.ts";
import { ROUTE_NAMES, type RouteName } from "./request-target.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** A control request that cannot be used. */
export function controlError(message: string): PublicApiError {
  return new PublicApiError("INVALID_INPUT", message);
}

/**
 * Refuses unknown fields: a misspelled one would go unnoticed.
 *
 * @throws {PublicApiError} INVALID_INPUT when a field is not one of `known`
 */
export function checkNames(fields: Fields, known: readonly string[]): void {
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw controlError(`${JSON.stringify(unknown.slice(0, 80))} is not a known field (known ${known.join(", ")})`);
}

interface NumberRange {
  readonly min: number;
  readonly max?: number;
  readonly isWhole?: boolean;
}

/**
 * An optional number.
 *
 * @throws {PublicApiError} INVALID_INPUT when it is not a number or out of range
 */
export function numberField(fields: Fields, name: string, range: NumberRange): number | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  const { min, max = Number.MAX_SAFE_INTEGER, isWhole = false } = range;
  const isNumber = typeof value === "number" && (isWhole ? Number.isInteger(value) : Number.isFinite(value));
  if (isNumber && value >= min && value <= max) return value;
  const got = typeof value === "number" ? String(value) : typeof value;
  throw controlError(`${name} must be a ${isWhole ? "whole " : ""}number (got ${got}, limit ${min} to ${max})`);
}

/**
 * An optional string.
 *
 * @throws {PublicApiError} INVALID_INPUT when it is not a string, or empty
 */
export function textField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || (typeof value === "string" && value !== "")) return value;
  throw controlError(`${name} must be a non-empty string (got ${value === "" ? "an empty one" : typeof value})`);
}

function truthField(fields: Fields, name: string): void {
  const value = fields[name];
  if (value !== undefined && typeof value !== "boolean") throw controlError(`${name} must be true or false`);
}

export function routeNamed(name: unknown): RouteName;
export function routeNamed<Other extends string>(name: unknown, other: Other): RouteName | Other;
export function routeNamed(name: unknown, other?: string): string {
  const found = ROUTE_NAMES.find((known) => known === name) ?? (name === other ? other : undefined);
  if (found === undefined) throw controlError(`route must be one of ${ROUTE_NAMES.join(", ")}`);
  return found;
}

/** Fields of each kind of action besides `kind`, and their checks. */
const ACTION_CHECKS: Readonly<Record<FaultAction["kind"], Readonly<Record<string, (fields: Fields) => unknown>>>> = {
  respond: {
    status: (fields) => requiredNumber(fields, "status", { min: 200, max: 599, isWhole: true }),
    body: () => undefined,
    headers: checkHeaders,
    isAfterEffect: (fields) => truthField(fields, "isAfterEffect"),
  },
  delay: { delayMs: (fields) => requiredNumber(fields, "delayMs", { min: 0, max: 2 ** 31 - 1 }) },
  hold: {},
  drop: { isAfterEffect: (fields) => truthField(fields, "isAfterEffect") },
  reset: { isAfterEffect: (fields) => truthField(fields, "isAfterEffect") },
  truncate: { keptBytes: (fields) => numberField(fields, "keptBytes", { min: 0, isWhole: true }) },
  duplicate: {},
};

/**
 * Reads a rule from JSON.
 *
 * @throws {PublicApiError} INVALID_INPUT when a field is unknown, missing or wrong
 */
export function faultRuleOf(fields: Fields): FaultRule {
  checkNames(fields, ["route", "action", "times", "skip", "probability"]);
  const action = actionOf(fields["action"]);
  const { route, times } = fields;
  const skip = numberField(fields, "skip", { min: 0, isWhole: true });
  const probability = numberField(fields, "probability", { min: 0, max: 1 });
  // JSON has no Infinity.
  const hits = times === "always" ? Infinity : numberField(fields, "times", { min: 0, isWhole: true });
  return {
    route: Array.isArray(route) ? route.map((name) => routeNamed(name)) : routeNamed(route, "*"),
    action,
    times: hits,
    skip,
    probability,
  };
}

function actionOf(action: unknown): FaultAction {
  const kinds = Object.keys(ACTION_CHECKS);
  const kind = isRecord(action) ? action["kind"] : undefined;
  if (!isRecord(action) || typeof kind !== "string" || !kinds.includes(kind)) {
    throw controlError(`action.kind must be one of ${kinds.join(", ")}`);
  }
  const checks = ACTION_CHECKS[kind as FaultAction["kind"]];
  checkNames(action, ["kind", ...Object.keys(checks)]);
  for (const check of Object.values(checks)) check(action);
  return action as unknown as FaultAction;
}

function requiredNumber(fields: Fields, name: string, range: NumberRange): void {
  if (numberField(fields, name, range) === undefined) throw controlError(`${name} is missing`);
}

function checkHeaders({ headers }: Fields): void {
  if (headers === undefined) return;
  try {
    if (!isRecord(headers) || !Object.values(headers).every((value) => typeof value === "string"))
      throw new TypeError();
    void new Headers(headers as Record<string, string>);
  } catch {
    throw controlError("headers must be an object of valid HTTP header names and values");
  }
}
