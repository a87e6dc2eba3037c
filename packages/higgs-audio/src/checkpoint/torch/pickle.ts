import { corrupt, quote } from "../checkpoint-error.ts";
import { MAX_PICKLE_MEMO, MAX_PICKLE_STACK } from "../limits.ts";

/**
 * A reader of Python pickles that executes nothing. It knows the opcodes that `torch.save` writes for a dictionary of
 * tensors (pickle protocol 2) and no other; a call stays a description of the call, for the reader of the result to
 * understand or refuse; and only globals of the caller's list may be named at all.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleCall
  | PickleReference;

export interface PickleTuple {
  readonly kind: "tuple";
  readonly items: readonly PickleValue[];
}

export interface PickleDict {
  readonly kind: "dict";
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

/** Called without arguments, this is a dictionary; it is the one call that the reader performs itself. */
const ORDERED_DICT = "collections.OrderedDict";

const PROTOCOL = 2;
const MAX_GLOBAL_LENGTH = 128;
const MAX_INTEGER_BYTES = 8;
const ASCII_DECODER = new TextDecoder("ascii");
const UTF8_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The value of a pickle. Throws MODEL_CORRUPT naming the opcode or global that is not allowed, and for a pickle that is
 * truncated or inconsistent.
 */
export function readPickle(bytes: Uint8Array, allowedGlobals: ReadonlySet<string>, fileName: string): PickleValue {
  return new PickleMachine(bytes, allowedGlobals, fileName).run();
}

class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #allowedGlobals: ReadonlySet<string>;
  readonly #fileName: string;
  readonly #stack: PickleValue[] = [];
  /** Stack heights at which a MARK was set. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #position = 0;

  constructor(bytes: Uint8Array, allowedGlobals: ReadonlySet<string>, fileName: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#allowedGlobals = allowedGlobals;
    this.#fileName = fileName;
  }

  run(): PickleValue {
    for (;;) {
      const at = this.#position;
      const opcode = this.#readByte();
      if (opcode === STOP) return this.#finish();
      const step = STEPS.get(opcode);
      if (step === undefined)
        throw this.#error(`opcode 0x${opcode.toString(16).padStart(2, "0")} at ${at} is not allowed`);
      step(this);
      if (this.#stack.length > MAX_PICKLE_STACK || this.#marks.length > MAX_PICKLE_STACK) {
        throw this.#error(`its stack grows too high (limit ${MAX_PICKLE_STACK})`);
      }
    }
  }

  #finish(): PickleValue {
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#error("it ends with values left over");
    if (this.#position !== this.#bytes.length) throw this.#error("it has bytes after its end");
    return value;
  }

  // --- the opcodes, in the order of the table below ---

  checkProtocol(): void {
    const version = this.#readByte();
    if (version !== PROTOCOL) throw this.#error(`its protocol is not supported (got ${version}, expected ${PROTOCOL})`);
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pushUnsigned(byteLength: 1 | 2): void {
    const at = this.#advance(byteLength);
    this.push(byteLength === 1 ? this.#view.getUint8(at) : this.#view.getUint16(at, true));
  }

  pushInt32(): void {
    this.push(this.#view.getInt32(this.#advance(4), true));
  }

  /** LONG1: a length byte and that many bytes, little-endian two's complement. */
  pushLong(): void {
    const length = this.#readByte();
    if (length > MAX_INTEGER_BYTES) throw this.#error(`an integer is too long (got ${length} bytes, limit 8)`);
    const start = this.#advance(length);
    let value = 0n;
    for (let index = length - 1; index >= 0; index -= 1)
      value = (value << 8n) | BigInt(this.#bytes[start + index] ?? 0);
    const signed = Number(BigInt.asIntN(length * 8, value));
    if (!Number.isSafeInteger(signed)) throw this.#error("an integer is too large");
    this.push(signed);
  }

  pushString(): void {
    const length = this.#view.getUint32(this.#advance(4), true);
    const start = this.#advance(length);
    try {
      this.push(UTF8_DECODER.decode(this.#bytes.subarray(start, start + length)));
    } catch (error) {
      throw corrupt(this.#fileName, "a string of its pickle is not UTF-8", error);
    }
  }

  pushGlobal(): void {
    const name = `${this.#readLine()}.${this.#readLine()}`;
    if (!this.#allowedGlobals.has(name)) throw this.#error(`global ${quote(name)} is not allowed`);
    this.push({ kind: "global", name });
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  makeTuple(size: 0 | 1 | 2 | 3): void {
    const height = this.#stack.length - size;
    if (height < (this.#marks.at(-1) ?? 0)) throw this.#error("its stack is empty");
    this.push({ kind: "tuple", items: this.#stack.splice(height) });
  }

  makeMarkedTuple(): void {
    const items = this.#popToMark();
    this.push({ kind: "tuple", items });
  }

  makeDict(): void {
    this.push({ kind: "dict", entries: new Map() });
  }

  setItem(): void {
    const value = this.#pop();
    const key = this.#pop();
    this.#setEntry(this.#topDict(), key, value);
  }

  setMarkedItems(): void {
    const items = this.#popToMark();
    const dict = this.#topDict();
    if (items.length % 2 !== 0) throw this.#error("a dictionary has a key without a value");
    for (let index = 0; index < items.length; index += 2) {
      this.#setEntry(dict, items[index] ?? null, items[index + 1] ?? null);
    }
  }

  remember(byteLength: 1 | 4): void {
    const slot = this.#readSlot(byteLength);
    if (this.#memo.size >= MAX_PICKLE_MEMO) throw this.#error(`its memo grows too large (limit ${MAX_PICKLE_MEMO})`);
    this.#memo.set(slot, this.#top());
  }

  recall(byteLength: 1 | 4): void {
    const value = this.#memo.get(this.#readSlot(byteLength));
    if (value === undefined) throw this.#error("it recalls a value that was never stored");
    this.push(value);
  }

  pushReference(): void {
    const id = this.#pop();
    this.push({ kind: "reference", id });
  }

  reduce(): void {
    const args = this.#pop();
    const callee = this.#pop();
    if (!isKind(callee, "global") || !isKind(args, "tuple"))
      throw this.#error("it calls something that is not a function");
    if (callee.name === ORDERED_DICT) {
      if (args.items.length > 0) throw this.#error("an OrderedDict is made from arguments");
      this.makeDict();
    } else {
      this.push({ kind: "call", callee: callee.name, args });
    }
  }

  /** BUILD sets attributes; an OrderedDict carries `_metadata` (module versions), which says nothing about tensors. */
  build(): void {
    const state = this.#pop();
    if (!isKind(state, "dict") || !isKind(this.#top(), "dict")) throw this.#error("it sets the state of an object");
  }

  // --- the stack and the bytes ---

  #pop(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.#error("its stack is empty");
    return this.#stack.pop() ?? null;
  }

  #popToMark(): PickleValue[] {
    const height = this.#marks.pop();
    if (height === undefined) throw this.#error("it has no mark");
    return this.#stack.splice(height);
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length <= (this.#marks.at(-1) ?? 0)) throw this.#error("its stack is empty");
    return value;
  }

  #topDict(): PickleDict {
    const top = this.#top();
    if (!isKind(top, "dict")) throw this.#error("it sets an item of something that is not a dictionary");
    return top;
  }

  #setEntry(dict: PickleDict, key: PickleValue, value: PickleValue): void {
    if (typeof key !== "string") throw this.#error("a dictionary's key is not a string");
    if (dict.entries.has(key)) throw this.#error(`a dictionary has ${quote(key)} twice`);
    dict.entries.set(key, value);
  }

  #readByte(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  #readSlot(byteLength: 1 | 4): number {
    const at = this.#advance(byteLength);
    return byteLength === 1 ? this.#view.getUint8(at) : this.#view.getUint32(at, true);
  }

  #readLine(): string {
    const start = this.#position;
    const end = this.#bytes.indexOf(0x0a, start);
    if (end < 0 || end - start > MAX_GLOBAL_LENGTH) throw this.#error("the name of a global does not end");
    this.#position = end + 1;
    return ASCII_DECODER.decode(this.#bytes.subarray(start, end));
  }

  /** Steps over `length` bytes and returns where they start. */
  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw this.#error("it is truncated");
    this.#position = start + length;
    return start;
  }

  #error(why: string): Error {
    return corrupt(this.#fileName, `its pickle is refused: ${why}`);
  }
}

const STOP = 0x2e;

/** Opcode → step, named as in Python's pickletools. Nothing outside this table runs. */
const STEPS: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  [0x80, (machine) => machine.checkProtocol()], // PROTO
  [0x4e, (machine) => machine.push(null)], // NONE
  [0x88, (machine) => machine.push(true)], // NEWTRUE
  [0x89, (machine) => machine.push(false)], // NEWFALSE
  [0x4b, (machine) => machine.pushUnsigned(1)], // BININT1
  [0x4d, (machine) => machine.pushUnsigned(2)], // BININT2
  [0x4a, (machine) => machine.pushInt32()], // BININT
  [0x8a, (machine) => machine.pushLong()], // LONG1
  [0x58, (machine) => machine.pushString()], // BINUNICODE
  [0x63, (machine) => machine.pushGlobal()], // GLOBAL
  [0x28, (machine) => machine.mark()], // MARK
  [0x29, (machine) => machine.makeTuple(0)], // EMPTY_TUPLE
  [0x85, (machine) => machine.makeTuple(1)], // TUPLE1
  [0x86, (machine) => machine.makeTuple(2)], // TUPLE2
  [0x87, (machine) => machine.makeTuple(3)], // TUPLE3
  [0x74, (machine) => machine.makeMarkedTuple()], // TUPLE
  [0x7d, (machine) => machine.makeDict()], // EMPTY_DICT
  [0x73, (machine) => machine.setItem()], // SETITEM
  [0x75, (machine) => machine.setMarkedItems()], // SETITEMS
  [0x71, (machine) => machine.remember(1)], // BINPUT
  [0x72, (machine) => machine.remember(4)], // LONG_BINPUT
  [0x68, (machine) => machine.recall(1)], // BINGET
  [0x6a, (machine) => machine.recall(4)], // LONG_BINGET
  [0x51, (machine) => machine.pushReference()], // BINPERSID
  [0x52, (machine) => machine.reduce()], // REDUCE
  [0x62, (machine) => machine.build()], // BUILD
] satisfies [number, (machine: PickleMachine) => void][]);

type Tagged = Exclude<PickleValue, null | boolean | number | string>;

/** True when a value is of the named kind. */
export function isKind<K extends Tagged["kind"]>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<Tagged, { kind: K }> {
  return typeof value === "object" && value !== null && value.kind === kind;
}
