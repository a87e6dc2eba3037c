import { existsSync, readFileSync } from "node:fs";
import type { Bindings, Pointer } from "./bindings.ts";

/** Size of a huge page on x86-64, and on ARM with pages of 4 KiB; where they are larger, the kernel takes what fits. */
const HUGE_PAGE_BYTES = 2 * 1024 * 1024;
/** Below this a few small pages do no harm, and rounding up to huge ones would waste memory. */
const FEWEST_BYTES = 8 * HUGE_PAGE_BYTES;
/** MADV_HUGEPAGE of Linux. */
const ADVICE_HUGE_PAGE = 14;
const SETTING = "/sys/kernel/mm/transparent_hugepage/enabled";

/**
 * Asks the kernel for huge pages in memory that nothing has touched yet. A product reads a matrix faster there, since the
 * processor looks up an address for every page. Does nothing on other systems, and where the kernel refuses.
 */
export function adviseHugePages(native: Bindings, address: Pointer, byteLength: number): void {
  if (native.madvise === null || byteLength < FEWEST_BYTES) return;
  const page = BigInt(HUGE_PAGE_BYTES);
  const start = ((address + page - 1n) / page) * page;
  const end = ((address + BigInt(byteLength)) / page) * page;
  native.madvise(start as Pointer, Number(end - start), ADVICE_HUGE_PAGE);
}

/** Whether the kernel gives huge pages to all memory, to that for which they are asked, or to none. */
export type HugePageSetting = "always" | "madvise" | "never";

/** The kernel's setting; null where it has none. */
export function hugePageSetting(file = SETTING): HugePageSetting | null {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const chosen = /\[(always|madvise|never)\]/.exec(text)?.[1];
  return (chosen as HugePageSetting | undefined) ?? null;
}
