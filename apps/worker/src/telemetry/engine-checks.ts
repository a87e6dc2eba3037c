import type { EngineMemory } from "@higgs-worker/higgs-audio";
import type { ServingModel } from "../model/load-model.ts";
import type { CheckOutcome, SelfCheck } from "./check-board.ts";
import type { GaugeSample, GaugeSource } from "./metrics.ts";

/** The device, by a question that only an engine which still works can answer. */
export function deviceCheck(loaded: () => ServingModel | null): SelfCheck {
  return {
    name: "device",
    run: async () => {
      const model = loaded();
      if (model === null) return { ok: false, reason: "no model is loaded" };
      const { device } = model.info;
      if (model.memory === undefined) return { ok: true, facts: { device } };
      const memory = await model.memory();
      if (memory === null) return { ok: false, reason: "the engine does not answer", facts: { device } };
      return { ok: true, facts: { device, ...shown(memory) } };
    },
  };
}

function shown(memory: EngineMemory): NonNullable<CheckOutcome["facts"]> {
  return { memory_free_bytes: memory.deviceFreeBytes, memory_total_bytes: memory.deviceTotalBytes };
}

/** What the engine's process and the device hold, and what is loaded. */
export function engineSource(loaded: () => ServingModel | null, version: string): GaugeSource {
  return async () => {
    const model = loaded();
    if (model === null) return [];
    const { device, weights } = model.info;
    const info: GaugeSample = { name: "model_info", value: 1, labels: { model: model.name, device, weights, version } };
    const memory = (await model.memory?.()) ?? null;
    if (memory === null) return [info];
    // Without a process of its own, the engine's memory is the main process's.
    const isApart = model.pid !== undefined && model.pid !== null;
    const resident: GaugeSample[] = isApart
      ? [{ name: "process_resident_memory_bytes", value: memory.residentBytes, labels: { process: "engine" } }]
      : [];
    return [
      info,
      ...resident,
      { name: "device_memory_free_bytes", value: memory.deviceFreeBytes },
      { name: "device_memory_total_bytes", value: memory.deviceTotalBytes },
    ];
  };
}
