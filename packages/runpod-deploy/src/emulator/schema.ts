/** A check of one JSON value: the problems found, each beginning with where. */
export type Check = (value: unknown, at: string) => string[];

export interface ObjectRules {
  readonly required?: readonly string[];
  /** Rules across fields, run when the fields themselves are right. */
  readonly also?: (fields: Readonly<Record<string, unknown>>, at: string) => string[];
}

/** An object with these fields and no others. */
export function object(fields: Readonly<Record<string, Check>>, rules: ObjectRules = {}): Check {
  return (value, at) => {
    if (!isObject(value)) return [`${at}: got ${kindOf(value)}, want object`];
    const missing = (rules.required ?? []).filter((name) => value[name] === undefined);
    const unknown = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
    const problems = [
      ...missing.map((name) => `${at}: missing property '${name}'`),
      ...unknown.map((name) => `${at}: additional properties '${name}' not allowed`),
      ...Object.entries(value).flatMap(([name, child]) => fields[name]?.(child, `${at}.${name}`) ?? []),
    ];
    return problems.length > 0 ? problems : (rules.also?.(value, at) ?? []);
  };
}

export interface TextRules {
  readonly minLength?: number;
  readonly pattern?: RegExp;
}

export function text({ minLength = 0, pattern }: TextRules = {}): Check {
  return (value, at) => {
    if (typeof value !== "string") return [`${at}: got ${kindOf(value)}, want string`];
    if (value.length < minLength) return [`${at}: minLength: got ${value.length}, want ${minLength}`];
    return pattern === undefined || pattern.test(value) ? [] : [`${at}: does not match pattern ${pattern.source}`];
  };
}

export interface NumberRules {
  readonly min?: number;
  readonly max?: number;
}

export function integer(rules: NumberRules = {}): Check {
  return (value, at) =>
    Number.isInteger(value) ? number(rules)(value, at) : [`${at}: got ${kindOf(value)}, want integer`];
}

export function number({ min = -Infinity, max = Infinity }: NumberRules = {}): Check {
  return (value, at) => {
    if (typeof value !== "number") return [`${at}: got ${kindOf(value)}, want number`];
    if (value < min) return [`${at}: minimum: got ${value}, want ${min}`];
    return value > max ? [`${at}: maximum: got ${value}, want ${max}`] : [];
  };
}

export const truth: Check = (value, at) =>
  typeof value === "boolean" ? [] : [`${at}: got ${kindOf(value)}, want boolean`];

export function oneOf(...allowed: readonly string[]): Check {
  return (value, at) =>
    typeof value === "string" && allowed.includes(value) ? [] : [`${at}: value must be one of ${allowed.join(", ")}`];
}

export interface ListRules {
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly unique?: boolean;
}

export function list(item: Check, { minItems = 0, maxItems = Infinity, unique = false }: ListRules = {}): Check {
  return (value, at) => {
    if (!Array.isArray(value)) return [`${at}: got ${kindOf(value)}, want array`];
    if (value.length < minItems) return [`${at}: minItems: got ${value.length}, want ${minItems}`];
    if (value.length > maxItems) return [`${at}: maxItems: got ${value.length}, want ${maxItems}`];
    const texts = value.map((one) => JSON.stringify(one));
    if (unique && new Set(texts).size < texts.length) return [`${at}: items are not unique`];
    return value.flatMap((one, index) => item(one, `${at}[${index}]`));
  };
}

/** An object whose values all pass one check. */
export function dictionary(item: Check): Check {
  return (value, at) =>
    isObject(value)
      ? Object.entries(value).flatMap(([name, one]) => item(one, `${at}.${name}`))
      : [`${at}: got ${kindOf(value)}, want object`];
}

export function nullable(check: Check): Check {
  return (value, at) => (value === null ? [] : check(value, at));
}

/** Chooses the check by the field `type`. */
export function byType(checks: Readonly<Record<string, Check>>): Check {
  return (value, at) => {
    if (!isObject(value)) return [`${at}: got ${kindOf(value)}, want object`];
    const type = value["type"];
    const check = typeof type === "string" && Object.hasOwn(checks, type) ? checks[type] : undefined;
    return check === undefined
      ? [`${at}.type: value must be one of ${Object.keys(checks).join(", ")}`]
      : check(value, at);
  };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
