import { HiggsError } from "@higgs-worker/base";

/** One message of the protocol: a line of JSON, more JSON, and bytes. */
export interface WyomingEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly payload?: Uint8Array;
}

/** Of the first line, which names the type and the lengths. */
const MAX_LINE_BYTES = 64 * 1024;
/** Of the data behind it: the longest text, escaped. */
const MAX_DATA_BYTES = 2 * 1024 * 1024;
/** Of bytes behind that. This door listens to nobody, so that they are thrown away. */
const MAX_PAYLOAD_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;

export function encodeWyomingEvent({ type, data, payload }: WyomingEvent): Buffer {
  const body = Buffer.from(JSON.stringify(data), "utf8");
  const line = { type, data_length: body.length, ...(payload === undefined ? {} : { payload_length: payload.length }) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`, "utf8"), body, payload ?? new Uint8Array()]);
}

interface EventHead {
  readonly type: string;
  readonly data: object;
  readonly dataBytes: number;
  readonly payloadBytes: number;
}

/** The messages in the bytes of a connection. */
export class WyomingReader {
  #buffered: Buffer = Buffer.alloc(0);
  #head: EventHead | null = null;
  /** Bytes of a payload that are still to be thrown away. */
  #payloadBytes = 0;

  /** Whether a message has begun that is not complete. */
  get isWithin(): boolean {
    return this.#buffered.length > 0 || this.#head !== null || this.#payloadBytes > 0;
  }

  /**
   * Takes bytes and gives the messages that they complete.
   *
   * @throws {HiggsError} INVALID_INPUT for what is not a message, or too long for one
   */
  *read(bytes: Uint8Array): Generator<WyomingEvent> {
    this.#buffered = Buffer.concat([this.#buffered, bytes]);
    for (;;) {
      const thrown = Math.min(this.#payloadBytes, this.#buffered.length);
      this.#payloadBytes -= thrown;
      this.#buffered = this.#buffered.subarray(thrown);
      this.#head ??= this.#readHead();
      const head = this.#head;
      if (head === null || this.#buffered.length < head.dataBytes) return;
      const more = head.dataBytes === 0 ? {} : parseObject(this.#buffered.subarray(0, head.dataBytes));
      this.#buffered = this.#buffered.subarray(head.dataBytes);
      this.#payloadBytes = head.payloadBytes;
      this.#head = null;
      yield { type: head.type, data: { ...head.data, ...more } };
    }
  }

  #readHead(): EventHead | null {
    if (this.#payloadBytes > 0) return null;
    const end = this.#buffered.indexOf(NEWLINE);
    if (end > MAX_LINE_BYTES || (end === -1 && this.#buffered.length > MAX_LINE_BYTES)) {
      throw wrong(`its first line is too long (limit ${MAX_LINE_BYTES} bytes)`);
    }
    if (end === -1) return null;
    const { type, data = {}, ...lengths } = parseObject(this.#buffered.subarray(0, end));
    if (typeof type !== "string") throw wrong("it has no type");
    if (typeof data !== "object" || data === null) throw wrong("its data is not an object");
    const dataBytes = lengthOf(lengths["data_length"], MAX_DATA_BYTES);
    const payloadBytes = lengthOf(lengths["payload_length"], MAX_PAYLOAD_BYTES);
    this.#buffered = this.#buffered.subarray(end + 1);
    return { type, data, dataBytes, payloadBytes };
  }
}

function lengthOf(value: unknown, limit: number): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw wrong("its lengths are not counts");
  if (value > limit) throw wrong(`it is too long (got ${value} bytes, limit ${limit})`);
  return value;
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw wrong("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong("it is not a JSON object");
  return value as Readonly<Record<string, unknown>>;
}

function wrong(why: string): HiggsError {
  return new HiggsError("INVALID_INPUT", "read a Wyoming event", why);
}
