import { describe, expect, it } from "vitest";
import { parseCards, parseDriverFile } from "./gpu-facts.ts";

describe("what nvidia-smi prints", () => {
  it("is read, one card a line", () => {
    expect(parseCards("NVIDIA H100 80GB HBM3, 9.0, 570.86.15\n")).toEqual({
      driver: "570.86.15",
      cards: [{ name: "NVIDIA H100 80GB HBM3", computeCapability: "9.0" }],
    });
    const two = "NVIDIA RTX 6000 Ada Generation, 8.9, 550.127.05\nNVIDIA B200, 10.0, 550.127.05\n";
    expect(parseCards(two).cards.map(({ computeCapability }) => computeCapability)).toEqual(["8.9", "10.0"]);
    // A slice of a card.
    expect(parseCards("NVIDIA A100-SXM4-80GB MIG 1g.10gb, 8.0, 535.129.03").cards).toHaveLength(1);
  });

  it.each([
    "",
    "No devices were found\n",
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.\n",
    "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.86\n",
    'Field "compute_cap" is not a valid field to query.\n',
    "Unable to determine the device handle for GPU0000:C1:00.0: Unknown Error\n",
    "NVIDIA H100 80GB HBM3, [N/A], 570.86.15\n",
  ])("tells nothing when it is %j", (text) => {
    expect(parseCards(text)).toEqual({ driver: null, cards: [] });
  });
});

describe("the driver's own file", () => {
  it.each([
    [
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\nGCC version:  gcc version 11.4.0\n",
      "535.129.03",
    ],
    [
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder@U16)  Wed Jan 22\n",
      "570.86.15",
    ],
    ["something else\n", null],
    ["", null],
  ])("%j", (text, version) => {
    expect(parseDriverFile(text)).toBe(version);
  });
});
