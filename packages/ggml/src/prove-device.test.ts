import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Backend } from "./backend.ts";
import { loadGgml } from "./ggml.ts";
import { largestError, proveDevice } from "./prove-device.ts";

let backend: Backend;
beforeAll(() => {
  backend = Backend.open(loadGgml(), ({ kind }) => kind === "cpu", "cpu");
});
afterAll(() => backend[Symbol.dispose]());

it("accepts the CPU", () => {
  expect(() => proveDevice(backend)).not.toThrow();
});

it("refuses a device that computes nothing, and one that says that it failed", () => {
  const compute = vi.spyOn(backend, "compute");
  compute.mockImplementation(() => undefined);
  expect(() => proveDevice(backend)).toThrow(/^Cannot use CPU: a product of bf16 with 1 columns is wrong/);
  compute.mockImplementation(() => {
    throw new Error("ggml returned status -1");
  });
  expect(() => proveDevice(backend)).toThrow("status -1");
  compute.mockRestore();
});

it("sees one wrong element, and one that is not a number", () => {
  const left = new Float32Array(256 * 256).fill(1);
  const right = new Float32Array(256).fill(2);
  const product = new Float32Array(256).fill(512);
  expect(largestError(left, right, 1, product)).toBe(0);
  product[255] = 0;
  expect(largestError(left, right, 1, product)).toBe(1);
  product[7] = Number.NaN;
  expect(largestError(left, right, 1, product)).toBeNaN();
});
