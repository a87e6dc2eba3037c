/** What a pickle describes. Nothing is ever called: a call stays a description of the call. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PickleReference;

export interface PickleTuple {
  readonly kind: "tuple";
  readonly items: readonly PickleValue[];
}

export interface PickleList {
  readonly kind: "list";
  readonly items: PickleValue[];
}

export interface PickleDict {
  readonly kind: "dict";
  /** Only entries whose key is a string; others cannot name tensors. */
  readonly entries: Map<string, PickleValue>;
}

/** A Python class or function, by name only, such as `torch FloatStorage`. */
export interface PickleGlobal {
  readonly kind: "global";
  readonly name: string;
}

/** What calling a global with arguments would make. */
export interface PickleCall {
  readonly kind: "call";
  readonly callee: string;
  readonly args: PickleTuple;
}

/** An object that is kept outside the pickle (a tensor's storage). */
export interface PickleReference {
  readonly kind: "reference";
  readonly id: PickleValue;
}

type Tagged = Exclude<PickleValue, null | boolean | number | string>;

/** True when a value is of the named kind. */
export function isKind<K extends Tagged["kind"]>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<Tagged, { kind: K }> {
  return typeof value === "object" && value !== null && value.kind === kind;
}
