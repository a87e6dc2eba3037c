import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { findLibrary } from "@higgs-worker/ggml";

/** Machine code of x86-64: an instruction that does not exist, as after a failed assertion; a jump to itself. */
const CODE = { crash: [0x0f, 0x0b], hang: [0xeb, 0xfe] } as const;

/**
 * Makes a ggml build whose Vulkan backend is a CPU backend of the installed build with other machine code where the library's
 * first function is, so that the process crashes or hangs as it loads it.
 */
export function makeBrokenLibrary(folder: string, kind: keyof typeof CODE): void {
  const { directory } = findLibrary();
  copyLibrary(folder);
  const source = join(directory, readdirSync(directory).find((name) => name.endsWith("ggml-cpu-x64.so")) ?? "");
  const bytes = readFileSync(source);
  bytes.set(CODE[kind], positionOf(bytes, "ggml_backend_init"));
  writeFileSync(join(folder, "libggml-vulkan.so"), bytes);
}

/** The installed build without the variants of the CPU backend that a test does not need. */
export function copyLibrary(folder: string): void {
  const { base, registry, directory } = findLibrary();
  for (const file of [base, registry]) copyFileSync(file, join(folder, basename(file)));
  for (const name of readdirSync(directory)) {
    if (/ggml-cpu-(x64|haswell)\.so$/.test(name)) copyFileSync(join(directory, name), join(folder, name));
  }
}

const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const SHT_DYNSYM = 11;

/** Where an exported function's code is in a 64-bit ELF file; its code lies at its address, as linkers lay it out here. */
function positionOf(file: Buffer, symbol: string): number {
  const sections = Array.from({ length: file.readUInt16LE(60) }, (_, index) => {
    const at = Number(file.readBigUInt64LE(40)) + index * SECTION_BYTES;
    const word = (offset: number) => Number(file.readBigUInt64LE(at + offset));
    return {
      type: file.readUInt32LE(at + 4),
      address: word(16),
      position: word(24),
      size: word(32),
      link: file.readUInt32LE(at + 40),
    };
  });
  const symbols = sections.find(({ type }) => type === SHT_DYNSYM);
  const names = sections[symbols?.link ?? 0];
  if (symbols === undefined || names === undefined) throw new Error("Cannot break the library: it has no symbols");
  for (let at = symbols.position; at < symbols.position + symbols.size; at += SYMBOL_BYTES) {
    const start = names.position + file.readUInt32LE(at);
    if (file.toString("latin1", start, file.indexOf(0, start)) !== symbol) continue;
    const address = Number(file.readBigUInt64LE(at + 8));
    const holder = sections.find((section) => address >= section.address && address < section.address + section.size);
    if (holder !== undefined) return holder.position + address - holder.address;
  }
  throw new Error(`Cannot break the library: it has no ${symbol}`);
}
