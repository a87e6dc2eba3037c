import { describe, expect, it } from "vitest";
import { type MemoryNeeds, MOST_SLOTS, planMemory } from "./memory-plan.ts";

const GB = 1e9;
/** About the released model in q8_0 with 8192 positions. */
const NEEDS: MemoryNeeds = {
  weights: 5.4 * GB,
  textEmbeddings: 0.8 * GB,
  cachePerSlot: 0.9 * GB,
  stepPerSlot: 0.1 * GB,
  graphs: 0.1 * GB,
  codec: 0.2 * GB,
  encoder: 0.8 * GB,
  prefixes: 0.3 * GB,
  process: 0.2 * GB,
};
/** 6.5 GB on the device, 1.3 GB in the host's memory, 1 GB a slot. */
const gpu = (freeBytes: number, totalBytes = 24 * GB) => ({ freeBytes, totalBytes, isHost: false });
const cpu = (freeBytes: number, totalBytes = 24 * GB) => ({ freeBytes, totalBytes, isHost: true });

describe("planMemory()", () => {
  it.each([
    ["a small GPU", gpu(8.6 * GB, 10 * GB), 1, true],
    ["a GPU of 24 GB", gpu(23.6 * GB), 16, true],
    ["a large GPU", gpu(139 * GB, 140 * GB), MOST_SLOTS.device, true],
    ["a GPU that is too small", gpu(6 * GB, 8 * GB), 1, false],
    ["no free memory at all", gpu(0), 1, false],
    ["a laptop", cpu(11 * GB, 16 * GB), 2, true],
    ["a large machine", cpu(400 * GB, 500 * GB), MOST_SLOTS.host, true],
    ["a machine that is too small", cpu(8 * GB, 8 * GB), 1, false],
    ["exactly enough for three", cpu(7.8 * GB + 3 * GB + 1 * GB, 24 * GB), 3, true],
    ["a byte too little for three", cpu(7.8 * GB + 3 * GB + 1 * GB - 1, 24 * GB), 2, true],
  ])("%s", (_what, room, slots, isEnough) => {
    expect(planMemory(NEEDS, room, "auto")).toMatchObject({ slots, isEnough, room });
  });

  it("takes the number that is wanted, and says whether it fits", () => {
    expect(planMemory(NEEDS, gpu(23.6 * GB), 16)).toMatchObject({ slots: 16, isEnough: true });
    expect(planMemory(NEEDS, gpu(23.6 * GB), 17)).toMatchObject({ slots: 17, isEnough: false });
    expect(planMemory(NEEDS, cpu(400 * GB, 500 * GB), 12)).toMatchObject({ slots: 12, isEnough: true });
  });

  it("counts what lies in the host's memory only where that is the device's", () => {
    expect(planMemory(NEEDS, gpu(23 * GB), 2).neededBytes).toBeCloseTo(8.5 * GB, -3);
    expect(planMemory(NEEDS, cpu(23 * GB), 2).neededBytes).toBeCloseTo(9.8 * GB, -3);
  });

  it("leaves a share of the device to others, within bounds", () => {
    const headroomOf = (totalBytes: number) => planMemory(NEEDS, gpu(1 * GB, totalBytes), 1).headroomBytes;
    expect([0.5 * GB, 10 * GB, 140 * GB].map(headroomOf)).toEqual([64e6, 0.5 * GB, 1 * GB]);
  });
});
