import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Backend } from "./backend.ts";
import { loadGgml } from "./ggml.ts";
import { adviseHugePages, hugePageSetting } from "./huge-pages.ts";
import { canRepack } from "./repack.ts";
import { TensorArena } from "./tensor-arena.ts";

const MEGABYTE = 2 ** 20;

/** Bytes on huge pages in all of this process. */
function hugeBytes(): number {
  const kilobytes = /^AnonHugePages: +(\d+) kB/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

it("reads the kernel's setting", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "huge-pages-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, "enabled");
  for (const [text, setting] of [
    ["[always] madvise never\n", "always"],
    ["always [madvise] never\n", "madvise"],
    ["always madvise [never]\n", "never"],
    ["another kernel\n", null],
  ] as const) {
    writeFileSync(file, text);
    expect(hugePageSetting(file)).toBe(setting);
  }
  expect(hugePageSetting(path.join(directory, "missing"))).toBeNull();
});

it("asks for whole huge pages inside the memory, and for none in small memory", () => {
  const calls: [bigint, number, number][] = [];
  const { native } = loadGgml();
  const madvise = (...call: [bigint, number, number]): number => {
    calls.push(call);
    return -1;
  };
  const address = 0x7f00_0010_0040n as Parameters<typeof adviseHugePages>[1];
  adviseHugePages({ ...native, madvise }, address, 40 * MEGABYTE);
  adviseHugePages({ ...native, madvise }, address, MEGABYTE);
  adviseHugePages({ ...native, madvise: null }, address, 40 * MEGABYTE);
  expect(calls).toEqual([[0x7f00_0020_0000n, 38 * MEGABYTE, 14]]);
});

const setting = hugePageSetting();

it.runIf(setting === "always" || setting === "madvise").each(["weights", "repacked"] as const)(
  "large %s lie on huge pages, as far as there are any",
  (usage) => {
    using backend = Backend.open(loadGgml(), ({ kind }) => kind === "cpu", "cpu");
    if (usage === "repacked" && !canRepack(backend, "q4_0", 4096, 32_768)) return;
    using arena = new TensorArena(backend.ggml, { maxTensors: 1 });
    const matrix = arena.define("matrix", "q4_0", 4096, 32_768); // 75 MB
    arena.allocate(backend, usage);
    const before = hugeBytes();
    arena.clear();
    // A machine whose memory is in pieces has fewer; none at all would mean that they were not asked for.
    expect(hugeBytes() - before).toBeGreaterThan(0);
    expect(hugeBytes() - before).toBeLessThanOrEqual(matrix.byteLength + 4 * MEGABYTE);
  },
);
