import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { ByteGatherer } from "./byte-gatherer.ts";

it("gives parts of all sizes back in their order", () => {
  const gathered = new ByteGatherer();
  const parts = [1, 4095, 2, 0, 3_000_000, 7, 70_000].map((size, index) => Buffer.alloc(size, index + 1));
  for (const part of parts) gathered.add(part);
  expect(gathered.byteCount).toBe(3_074_105);
  expect(gathered.concat().equals(Buffer.concat(parts))).toBe(true);
});

it("has copied a part that changes afterwards", () => {
  const gathered = new ByteGatherer();
  const part = Buffer.from("abc");
  gathered.add(part);
  part.fill("x");
  expect(gathered.concat().toString()).toBe("abc");
  expect(new ByteGatherer().concat()).toHaveLength(0);
});

it("holds for a body that comes byte by byte not much more than its bytes", () => {
  const gathered = new ByteGatherer();
  const byteCount = 500_000;
  // A view each, as the parser of HTTP makes them of chunks.
  const received = Buffer.alloc(byteCount, 0x20);
  const before = heldBytes();
  for (let at = 0; at < byteCount; at += 1) gathered.add(received.subarray(at, at + 1));
  expect((heldBytes() - before) / byteCount).toBeLessThan(8);
  expect(gathered.concat().equals(received)).toBe(true);
});

/** What is still in use after a collection. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
