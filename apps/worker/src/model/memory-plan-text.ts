import type { MemoryPlan } from "@higgs-worker/higgs-audio";

/** What to do when a plan does not fit. */
export const MORE_MEMORY =
  "Use smaller weights (HIGGS_WEIGHTS=q8_0 or q4_k), a shorter context (HIGGS_CONTEXT), fewer requests at once (HIGGS_MAX_BATCH) or a larger machine";

/** A memory plan in a line: what is taken by what, and of how much. */
export function memoryPlanText({ slots, needs, room, neededBytes, headroomBytes }: MemoryPlan): string {
  const { cachePerSlot, stepPerSlot } = needs;
  const perSlot = cachePerSlot + stepPerSlot;
  const host = { "text embeddings": needs.textEmbeddings, "kept prompts": needs.prefixes, process: needs.process };
  const device = {
    weights: needs.weights,
    [`${slotsText(slots)} of ${gigabytes(perSlot)}`]: slots * perSlot,
    graphs: needs.graphs,
    codec: needs.codec,
    "encoder for new voices": needs.encoder,
  };
  const listOf = (parts: Readonly<Record<string, number>>): string =>
    Object.entries(parts)
      .map(([name, bytes]) => (name.includes(" of ") ? name : `${name} ${gigabytes(bytes)}`))
      .join(", ");
  const parts = room.isHost
    ? listOf({ ...device, ...host })
    : `${listOf(device)}; in the host's memory: ${listOf(host)}`;
  const free = `${gigabytes(room.freeBytes)} free, ${gigabytes(headroomBytes)} of it left to others`;
  return `${gigabytes(neededBytes)} at most (${parts}); ${free}`;
}

export function slotsText(slots: number): string {
  return slots === 1 ? "1 slot" : `${slots} slots`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
