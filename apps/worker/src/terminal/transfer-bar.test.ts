import { expect, it } from "vitest";
import { createTransferBar, transferLine } from "./transfer-bar.ts";

const HALF = { doneBytes: 2 ** 30, totalBytes: 2 ** 31 };

it("draws share, bytes, speed and time left, as wide as the terminal allows", () => {
  const facts = "50 %  1.0 GiB of 2.0 GiB  64.0 MiB/s  16 s left";
  expect(transferLine(HALF, 2 ** 26, 100)).toBe(`${"█".repeat(15)}${"░".repeat(15)}  ${facts}`);
  expect(transferLine(HALF, 2 ** 26, 60)).toHaveLength(59);
  expect(transferLine(HALF, 2 ** 26, 20)).toBe(facts.slice(0, 19));
  expect(transferLine(HALF, 0, 0)).toBe("50 %  1.0 GiB of 2.0 GiB  0 B/s");
  expect(transferLine(HALF, 2 ** 20, 0)).toContain("17 min left");
  expect(transferLine({ doneBytes: 0, totalBytes: 0 }, 0, 0)).toContain("100 %");
});

it("draws on a terminal now and then, and elsewhere a line each tenth; what was there does not count as speed", () => {
  const written: string[] = [];
  let nowMs = 0;
  const bar = (isTerminal: boolean) => {
    written.length = 0;
    return createTransferBar(
      { isTerminal, columns: 200, write: async (text) => void written.push(String(text)) },
      () => nowMs,
    );
  };
  const terminal = bar(true);
  for (let step = 0; step <= 10; step++) {
    nowMs = step * 50;
    terminal.onProgress({ doneBytes: 500 + step, totalBytes: 1000 });
  }
  expect(written).toHaveLength(3);
  expect(written.at(-1)).toContain("20 B/s");
  void terminal.clear();
  expect(written.at(-1)).toBe("\r\u001B[2K");
  const lines = bar(false);
  for (let doneBytes = 500; doneBytes <= 1000; doneBytes++) lines.onProgress({ doneBytes, totalBytes: 1000 });
  expect(written.map((line) => line.slice(0, 5))).toEqual(["50 % ", "60 % ", "70 % ", "80 % ", "90 % ", "100 %"]);
});
