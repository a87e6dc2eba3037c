import { expect, it } from "vitest";
import { imageTargetOf, minCudaVersionFor } from "./cuda.ts";
import { KNOWN_CARDS, selectGpus } from "./gpu-selection.ts";

it.each([
  ["cuda12", ["ADA_24"], "12.4"],
  ["cuda12", ["ADA_80_PRO"], "12.4"],
  ["cuda13", ["ADA_24", "AMPERE_24"], "13.0"],
  ["cuda13", ["ADA_32_PRO", "BLACKWELL_96"], "13.0"],
  ["cuda13", ["AMPERE_80"], "13.1"],
  ["cuda13", ["ADA_24", "HOPPER_141"], "13.1"],
  ["vulkan", ["ADA_80_PRO"], null],
] as const)("an image of %s on %j needs a driver of CUDA %s", (target, pools, version) => {
  expect(minCudaVersionFor(target, pools)).toBe(version);
});

it.each([
  ["me/higgs:0.1.0-cuda13", "cuda13"],
  ["ghcr.io/me/higgs:vulkan", "vulkan"],
  ["ghcr.io/cuda13/higgs:0.1.0", "cuda12"],
  ["registry:5000/higgs", "cuda12"],
  ["me/higgs-cuda13@sha256:0123", "cuda13"],
] as const)("the image %s is for %s", (image, target) => {
  expect(imageTargetOf(image)).toBe(target);
});

it.each([
  [["ADA_24"], ["ADA_24"], []],
  [["4090"], ["ADA_24"], []],
  [["RTX 4090", "ada_24"], ["ADA_24"], []],
  [["L4"], ["AMPERE_24"], ["NVIDIA RTX A5000", "NVIDIA GeForce RTX 3090"]],
  [["NVIDIA L40S"], ["ADA_48_PRO"], ["NVIDIA L40", "NVIDIA RTX 6000 Ada Generation"]],
  [["H100"], ["ADA_80_PRO"], []],
  [["h100 pcie"], ["ADA_80_PRO"], ["NVIDIA H100 80GB HBM3", "NVIDIA H100 NVL"]],
  [["L4", "AMPERE_24"], ["AMPERE_24"], []],
  [
    ["L4", "4090"],
    ["AMPERE_24", "ADA_24"],
    ["NVIDIA RTX A5000", "NVIDIA GeForce RTX 3090"],
  ],
] as const)("the cards %j are %j without %j", (names, pools, excludedTypes) => {
  expect(selectGpus(names, KNOWN_CARDS)).toEqual({ selection: { pools, excludedTypes }, unknown: [] });
});

it.each(["", "RTX", "9999", "NVIDIA"])("%j is not a card", (name) => {
  expect(selectGpus([name], KNOWN_CARDS).unknown).toEqual([name]);
});
