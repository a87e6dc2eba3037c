import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Take } from "./takes.ts";

const CODEBOOKS = 8;

/** What it cost to speak takes, codec included. */
export interface SpeakingCost {
  readonly takes: number;
  readonly frames: number;
  readonly cpuSeconds: number;
}

/** Takes on disk, outside the repository: one line of facts each, and their codes and samples in files. */
export class TakeStore<Stored extends Take = Take> {
  readonly folder: string;
  readonly #takes = new Map<number, Stored>();

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const take of readLines<Stored>(this.#index)) this.#takes.set(take.index, take);
  }

  get takes(): Stored[] {
    return [...this.#takes.values()].toSorted((a, b) => a.index - b.index);
  }

  has(index: number): boolean {
    return this.#takes.has(index);
  }

  /** Keeps a take; the line comes last, so that a take with a line is whole. */
  add(take: Stored, codes: readonly Int32Array[], pcm: Float32Array): void {
    writeFileSync(this.#file(take.index, "codes"), Uint16Array.from(codes.flatMap((row) => [...row])));
    writeFileSync(this.#file(take.index, "f32"), pcm);
    appendFileSync(this.#index, `${JSON.stringify(take)}\n`);
    this.#takes.set(take.index, take);
  }

  addCost(cost: SpeakingCost): void {
    appendFileSync(join(this.folder, "cost.jsonl"), `${JSON.stringify(cost)}\n`);
  }

  /** Of every run that spoke takes for this store. */
  get costs(): SpeakingCost[] {
    return readLines<SpeakingCost>(join(this.folder, "cost.jsonl"));
  }

  speechOf(take: Stored): { codes: Int32Array[]; pcm: Float32Array } {
    return { codes: this.codesOf(take), pcm: this.pcmOf(take) };
  }

  codesOf({ index, frames }: Stored): Int32Array[] {
    const all = Int32Array.from(asTyped(readFileSync(this.#file(index, "codes")), Uint16Array));
    return Array.from({ length: CODEBOOKS }, (_, codebook) => all.slice(codebook * frames, (codebook + 1) * frames));
  }

  pcmOf({ index }: Stored): Float32Array {
    return asTyped(readFileSync(this.#file(index, "f32")), Float32Array);
  }

  get #index(): string {
    return join(this.folder, "takes.jsonl");
  }

  #file(index: number, ending: string): string {
    return join(this.folder, `${String(index).padStart(5, "0")}.${ending}`);
  }
}

/** A file of JSON lines; none is an empty one. A last line that was not written to its end is left out. */
export function readLines<Line>(file: string): Line[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

/** The bytes of a file as numbers, in storage of their own. */
function asTyped<Typed>(bytes: Buffer, constructor: new (buffer: ArrayBuffer) => Typed): Typed {
  const own = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(own).set(bytes);
  return new constructor(own);
}
