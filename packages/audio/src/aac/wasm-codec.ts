import { readFile } from "node:fs/promises";
import { referenceInvalid } from "../decoder/reference-invalid.ts";

/** The numbers of `codecs/src/lib.rs`. */
const KINDS = { "aac-stream": 0, "aac-packets": 1, "alac-packets": 2 } as const;
const OK = 0;
const UNSUPPORTED = 2;
const CHANGED = 3;

export type WasmCodecKind = keyof typeof KINDS;

const NAMES: Readonly<Record<WasmCodecKind, string>> = {
  "aac-stream": "AAC",
  "aac-packets": "AAC",
  "alac-packets": "ALAC",
};

/** Only what is used here; Node's types leave it out. */
declare const WebAssembly: {
  instantiate(module: Uint8Array, imports: object): Promise<{ readonly instance: { readonly exports: unknown } }>;
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly input: (length: number) => number;
  readonly open: (kind: number) => number;
  readonly decode: () => number;
  readonly finish: () => number;
  readonly sample_rate: () => number;
  readonly channel_count: () => number;
  readonly sample_count: () => number;
  readonly plane: (channel: number) => number;
  readonly message: () => number;
  readonly message_length: () => number;
}

/** What a call decoded: nothing before the first complete frame. */
export interface WasmDecoded {
  /** After SBR: twice the core's rate for HE-AAC. */
  readonly sampleRateHz: number;
  /** Copies, one for each channel. */
  readonly channelData: readonly Float32Array[];
}

/** One AAC or ALAC stream in its own instance of `codecs.wasm`, limited to 64 MiB of memory. */
export class WasmCodec {
  readonly #exports: Exports;
  readonly #name: string;

  private constructor(exports: Exports, kind: WasmCodecKind) {
    this.#exports = exports;
    this.#name = NAMES[kind];
  }

  /**
   * @param configuration AudioSpecificConfig for `aac-packets`, magic cookie for `alac-packets`, empty for `aac-stream`.
   * @throws {HiggsError} REFERENCE_INVALID when the configuration is damaged or its profile is not supported
   */
  static async open(kind: WasmCodecKind, configuration: Uint8Array): Promise<WasmCodec> {
    // The path is the same from the sources and from the build.
    const module = await readFile(new URL("../../codecs/codecs.wasm", import.meta.url));
    const { instance } = await WebAssembly.instantiate(module, {});
    const codec = new WasmCodec(instance.exports as Exports, kind);
    codec.#write(configuration);
    codec.#check(() => codec.#exports.open(KINDS[kind]));
    return codec;
  }

  /**
   * Decodes a packet, or the next bytes of a stream.
   *
   * @throws {HiggsError} REFERENCE_INVALID when they are damaged
   */
  decode(bytes: Uint8Array): WasmDecoded {
    this.#write(bytes);
    this.#check(this.#exports.decode);
    return this.#decoded();
  }

  /**
   * Decodes what is left at the end of a stream.
   *
   * @throws {HiggsError} REFERENCE_INVALID when the stream had no frame
   */
  finish(): WasmDecoded {
    this.#check(this.#exports.finish);
    return this.#decoded();
  }

  #write(bytes: Uint8Array): void {
    const place = this.#trapped(() => this.#exports.input(bytes.length));
    new Uint8Array(this.#exports.memory.buffer).set(bytes, place);
  }

  #check(call: () => number): void {
    const status = this.#trapped(call);
    if (status === OK) return;
    if (status === CHANGED) throw referenceInvalid(`the sample rate or channels of its ${this.#name} audio change`);
    const why = this.#message();
    if (status === UNSUPPORTED) throw referenceInvalid(`its kind of ${this.#name} is not supported (${why})`);
    throw referenceInvalid(`its ${this.#name} data is damaged (${why})`);
  }

  /** A file that makes the library panic or exhausts its memory traps. */
  #trapped<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw referenceInvalid(`its ${this.#name} data is damaged`, error);
    }
  }

  #message(): string {
    const { memory, message, message_length } = this.#exports;
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, message(), message_length()));
    return text.replace(/^aac: /, "");
  }

  #decoded(): WasmDecoded {
    const { memory, sample_rate, channel_count, sample_count, plane } = this.#exports;
    const length = sample_count();
    const channelData = Array.from({ length: channel_count() }, (_, channel) =>
      new Float32Array(memory.buffer, plane(channel), length).slice(),
    );
    return { sampleRateHz: sample_rate(), channelData };
  }
}
