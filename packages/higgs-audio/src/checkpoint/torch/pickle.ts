import { corrupt, quote, unsupported } from "../checkpoint-error.ts";
import { MAX_PICKLE_MEMO, MAX_PICKLE_STACK } from "../limits.ts";
import { PickleBytes, PickleBytesError } from "./pickle-bytes.ts";
import { isKind, type PickleDict, type PickleList, type PickleValue } from "./pickle-value.ts";

/** Called without arguments, this is a dictionary; it is the one call that the reader performs itself. */
const ORDERED_DICT = "collections.OrderedDict";

/** Protocols 0 and 1 have no such opcode; torch itself cannot write tensors with protocol 0. */
const PROTOCOLS = { first: 2, last: 5 } as const;

/** What to do about a file that holds more than a dictionary of tensors. */
export const SAVE_TENSORS_ALONE = "save its tensors alone, with torch.save(model.state_dict(), PATH) or as safetensors";

export interface PickleOptions {
  /** For messages. */
  readonly fileName: string;
  /** Whether a global may be named at all, such as `torch.FloatStorage`. */
  readonly isAllowed: (global: string) => boolean;
}

export interface Pickle {
  readonly value: PickleValue;
  /** Ids of everything that is kept outside the pickle, in the order in which they are named. */
  readonly references: readonly PickleValue[];
  /** Position after its last byte. */
  readonly end: number;
}

/**
 * Reads one pickle (protocols 1 to 5) from a position on, and executes nothing. It knows the opcodes of plain data (texts,
 * numbers, tuples, lists, dictionaries), of globals and of calls, which stay descriptions.
 *
 * @throws {HiggsError} MODEL_UNSUPPORTED for opcodes and globals of other objects
 * @throws {HiggsError} MODEL_CORRUPT when the pickle is truncated or inconsistent
 */
export function readPickle(bytes: Uint8Array, start: number, options: PickleOptions): Pickle {
  return new PickleMachine(bytes, start, options).run();
}

class PickleMachine {
  readonly bytes: PickleBytes;
  readonly #options: PickleOptions;
  readonly #references: PickleValue[] = [];
  readonly #stack: PickleValue[] = [];
  /** Stack heights at which a MARK was set. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, start: number, options: PickleOptions) {
    this.bytes = new PickleBytes(bytes, start);
    this.#options = options;
  }

  run(): Pickle {
    try {
      return this.#runToEnd();
    } catch (error) {
      throw error instanceof PickleBytesError ? this.#error(error.message) : error;
    }
  }

  #runToEnd(): Pickle {
    for (;;) {
      const at = this.bytes.position;
      const opcode = this.bytes.readUnsigned(1);
      if (opcode === STOP) return this.#finish();
      const step = STEPS.get(opcode);
      if (step === undefined) throw this.#unknownOpcode(opcode, at);
      step(this);
      if (this.#stack.length > MAX_PICKLE_STACK || this.#marks.length > MAX_PICKLE_STACK) {
        throw this.#error(`its stack grows too high (limit ${MAX_PICKLE_STACK})`);
      }
    }
  }

  #finish(): Pickle {
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#error("it ends with values left over");
    return { value, references: this.#references, end: this.bytes.position };
  }

  #unknownOpcode(opcode: number, at: number): Error {
    const what = `opcode 0x${opcode.toString(16).padStart(2, "0")} at ${at}`;
    return OTHER_OPCODES.has(opcode) ? this.#unsupported(`${what} is not allowed`) : this.#error(`${what} is unknown`);
  }

  // --- the opcodes, in the order of the table below ---

  checkProtocol(): void {
    const version = this.bytes.readUnsigned(1);
    const { first, last } = PROTOCOLS;
    if (version < first || version > last) {
      throw this.#unsupported(`its protocol is not supported (got ${version}, limit ${first} … ${last})`);
    }
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pushGlobal(): void {
    this.#pushGlobal(this.bytes.readLine(), this.bytes.readLine());
  }

  pushStackGlobal(): void {
    const name = this.#pop();
    const module = this.#pop();
    if (typeof name !== "string" || typeof module !== "string") throw this.#error("the name of a global is not a text");
    this.#pushGlobal(module, name);
  }

  #pushGlobal(module: string, name: string): void {
    const global = `${module}.${name}`;
    if (!this.#options.isAllowed(global)) throw this.#unsupported(`global ${quote(global)} is not allowed`);
    this.push({ kind: "global", name: global });
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

  makeList(): void {
    this.push({ kind: "list", items: [] });
  }

  append(): void {
    const value = this.#pop();
    this.#topList().items.push(value);
  }

  appendMarked(): void {
    const items = this.#popToMark();
    const list = this.#topList();
    for (const item of items) list.items.push(item);
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
    this.#remember(this.bytes.readUnsigned(byteLength));
  }

  /** MEMOIZE: into the next slot. */
  rememberNext(): void {
    this.#remember(this.#memo.size);
  }

  #remember(slot: number): void {
    if (this.#memo.size >= MAX_PICKLE_MEMO) throw this.#error(`its memo grows too large (limit ${MAX_PICKLE_MEMO})`);
    this.#memo.set(slot, this.#top());
  }

  recall(byteLength: 1 | 4): void {
    const value = this.#memo.get(this.bytes.readUnsigned(byteLength));
    if (value === undefined) throw this.#error("it recalls a value that was never stored");
    this.push(value);
  }

  pushReference(): void {
    const id = this.#pop();
    this.#references.push(id);
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
    if (!isKind(state, "dict") || !isKind(this.#top(), "dict")) {
      throw this.#unsupported("it sets the state of an object");
    }
  }

  // --- the stack ---

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

  #topList(): PickleList {
    const top = this.#top();
    if (!isKind(top, "list")) throw this.#error("it appends to something that is not a list");
    return top;
  }

  #topDict(): PickleDict {
    const top = this.#top();
    if (!isKind(top, "dict")) throw this.#error("it sets an item of something that is not a dictionary");
    return top;
  }

  #setEntry(dict: PickleDict, key: PickleValue, value: PickleValue): void {
    if (typeof key !== "string") return;
    if (dict.entries.has(key)) throw this.#error(`a dictionary has ${quote(key)} twice`);
    dict.entries.set(key, value);
  }

  #error(why: string): Error {
    return corrupt(this.#options.fileName, `its pickle is damaged: ${why}`);
  }

  #unsupported(why: string): Error {
    return unsupported(this.#options.fileName, `it holds more than tensors: ${why}; ${SAVE_TENSORS_ALONE}`);
  }
}

const STOP = 0x2e;

/** Opcode → step, named as in Python's pickletools. Nothing outside this table runs. */
const STEPS: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map([
  [0x80, (machine) => machine.checkProtocol()], // PROTO
  [0x4e, (machine) => machine.push(null)], // NONE
  [0x88, (machine) => machine.push(true)], // NEWTRUE
  [0x89, (machine) => machine.push(false)], // NEWFALSE
  [0x4b, (machine) => machine.push(machine.bytes.readUnsigned(1))], // BININT1
  [0x4d, (machine) => machine.push(machine.bytes.readUnsigned(2))], // BININT2
  [0x4a, (machine) => machine.push(machine.bytes.readInt32())], // BININT
  [0x8a, (machine) => machine.push(machine.bytes.readLong())], // LONG1
  [0x47, (machine) => machine.push(machine.bytes.readFloat64())], // BINFLOAT
  [0x49, (machine) => machine.push(machine.bytes.readDigits())], // INT
  [0x4c, (machine) => machine.push(machine.bytes.readDigits())], // LONG
  [0x55, (machine) => machine.push(machine.bytes.readString(1))], // SHORT_BINSTRING, the texts of Python 2
  [0x54, (machine) => machine.push(machine.bytes.readString(4))], // BINSTRING
  [0x8c, (machine) => machine.push(machine.bytes.readString(1))], // SHORT_BINUNICODE
  [0x58, (machine) => machine.push(machine.bytes.readString(4))], // BINUNICODE
  [0x8d, (machine) => machine.push(machine.bytes.readString(8))], // BINUNICODE8
  [0x63, (machine) => machine.pushGlobal()], // GLOBAL
  [0x93, (machine) => machine.pushStackGlobal()], // STACK_GLOBAL
  [0x95, (machine) => machine.bytes.skipFrame()], // FRAME
  [0x5d, (machine) => machine.makeList()], // EMPTY_LIST
  [0x61, (machine) => machine.append()], // APPEND
  [0x65, (machine) => machine.appendMarked()], // APPENDS
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
  [0x94, (machine) => machine.rememberNext()], // MEMOIZE
  [0x68, (machine) => machine.recall(1)], // BINGET
  [0x6a, (machine) => machine.recall(4)], // LONG_BINGET
  [0x51, (machine) => machine.pushReference()], // BINPERSID
  [0x52, (machine) => machine.reduce()], // REDUCE
  [0x62, (machine) => machine.build()], // BUILD
] satisfies [number, (machine: PickleMachine) => void][]);

/** The other opcodes of pickle protocols 1 to 5: sets, bytes, instances of classes, text forms. */
const OTHER_OPCODES: ReadonlySet<number> = new Set([
  0x30, 0x31, 0x32, 0x42, 0x43, 0x46, 0x50, 0x53, 0x56, 0x64, 0x67, 0x69, 0x6c, 0x6f, 0x70, 0x81, 0x82, 0x83, 0x84,
  0x8b, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x96, 0x97, 0x98,
]);
