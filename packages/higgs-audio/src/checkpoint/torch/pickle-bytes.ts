const ASCII_DECODER = new TextDecoder("ascii");
const UTF8_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const MAX_LINE_LENGTH = 128;
const MAX_INTEGER_BYTES = 8;

/** What is wrong with the bytes; the caller knows the file's name. */
export class PickleBytesError extends Error {}

/** The arguments of opcodes, read one after the other. Every method throws PickleBytesError where the bytes do not do. */
export class PickleBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position: number;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
  }

  get position(): number {
    return this.#position;
  }

  /** Unsigned, little-endian. */
  readUnsigned(byteLength: 1 | 2 | 4 | 8): number {
    const at = this.#advance(byteLength);
    if (byteLength === 1) return this.#view.getUint8(at);
    if (byteLength === 2) return this.#view.getUint16(at, true);
    return byteLength === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  readInt32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Big-endian, unlike all else. */
  readFloat64(): number {
    return this.#view.getFloat64(this.#advance(8));
  }

  /** A length byte and that many bytes, little-endian two's complement. */
  readLong(): number {
    const length = this.readUnsigned(1);
    if (length > MAX_INTEGER_BYTES) throw new PickleBytesError(`an integer is too long (got ${length} bytes, limit 8)`);
    const start = this.#advance(length);
    let value = 0n;
    for (let index = length - 1; index >= 0; index -= 1)
      value = (value << 8n) | BigInt(this.#bytes[start + index] ?? 0);
    const signed = Number(BigInt.asIntN(length * 8, value));
    if (!Number.isSafeInteger(signed)) throw new PickleBytesError("an integer is too large");
    return signed;
  }

  /** A number in digits, as a line; `00` and `01` are how protocol 1 writes false and true. */
  readDigits(): number | boolean {
    const line = this.readLine();
    if (line === "00" || line === "01") return line === "01";
    const value = Number(/^-?\d{1,16}L?$/.test(line) ? line.replace("L", "") : Number.NaN);
    if (!Number.isSafeInteger(value)) throw new PickleBytesError("an integer is not a number or too large");
    return value;
  }

  /** UTF-8 after its length. */
  readString(lengthBytes: 1 | 4 | 8): string {
    const length = this.readUnsigned(lengthBytes);
    const start = this.#advance(length);
    try {
      return UTF8_DECODER.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw new PickleBytesError("a string is not UTF-8");
    }
  }

  readLine(): string {
    const start = this.#position;
    const end = this.#bytes.indexOf(0x0a, start);
    if (end < 0 || end - start > MAX_LINE_LENGTH) throw new PickleBytesError("a line of it does not end");
    this.#position = end + 1;
    return ASCII_DECODER.decode(this.#bytes.subarray(start, end));
  }

  /** Frames only help readers of streams. */
  skipFrame(): void {
    const length = this.readUnsigned(8);
    if (length > this.#bytes.length - this.#position) throw new PickleBytesError("it is truncated");
  }

  /** Steps over `length` bytes and returns where they start. */
  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw new PickleBytesError("it is truncated");
    this.#position = start + length;
    return start;
  }
}
