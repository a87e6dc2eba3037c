import { readdirSync, readlinkSync } from "node:fs";
import { loadGgml } from "@higgs-worker/ggml";
import { vi } from "vitest";

/** How each kind of native object is acquired and released. */
const KINDS = {
  contexts: ["init", "free"],
  buffers: ["allocCtxTensors", "bufferFree"],
  graphAllocators: ["gallocrNew", "gallocrFree"],
  backends: ["deviceInit", "backendFree"],
} as const;

/** Native objects that were acquired and not released, and model files that are open. */
export type HeldHandles = Record<keyof typeof KINDS, number> & { readonly files: readonly string[] };

export const NOTHING_HELD: HeldHandles = { contexts: 0, buffers: 0, graphAllocators: 0, backends: 0, files: [] };

/** Counts what ggml and the system hold on our behalf from now on. Call the result for the count; for one test at a time. */
export function watchHandles(): () => HeldHandles {
  const { native } = loadGgml();
  const counters = Object.entries(KINDS).map(([kind, [acquire, release]]) => {
    const acquired = vi.spyOn(native, acquire);
    const released = vi.spyOn(native, release);
    acquired.mockClear();
    released.mockClear();
    const count = (): number =>
      acquired.mock.results.filter(({ type, value }) => type === "return" && value !== null).length -
      released.mock.calls.length;
    return [kind, count] as const;
  });
  return () => ({
    ...(Object.fromEntries(counters.map(([kind, count]) => [kind, count()])) as Omit<HeldHandles, "files">),
    files: openModelFiles(),
  });
}

/** Files of models that this process has open; always none where the system does not tell. */
function openModelFiles(): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return /\.(safetensors|gguf|json|pth)$/.test(path) ? [path] : [];
    } catch {
      return []; // the descriptor of the listing itself
    }
  });
}
