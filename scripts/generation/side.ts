/** One side of `measure-generation.ts`: a process with the generation model of a checkout, which runs what its parent asks for. */
import { on } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Parts from "@higgs-worker/higgs-audio/parts";

export interface SideOptions {
  /** Folder of a built checkout. */
  readonly checkout: string;
  /** Folder of a ggml build; default: what the checkout uses. */
  readonly library?: string | undefined;
  readonly threads: number;
}

export interface ModelOptions {
  readonly format: "bf16" | "q8_0" | "q4_k";
  readonly layers: number;
  readonly slots: number;
}

/** `load`: a model instead of the last one. `prefill`: a text prompt of `count` rows. `step`: `count` steps of all slots. */
export type Task =
  | { readonly kind: "load"; readonly model: ModelOptions }
  | { readonly kind: "prefill" | "step"; readonly count: number };

/** Seconds; and what the process holds then. */
export interface Measured {
  readonly wall: number;
  readonly processor: number;
  /** MB of anonymous memory, and of that on huge pages. */
  readonly anonymousMb: number;
  readonly hugeMb: number;
}

const CONTEXT_LENGTH = 1024;
/** Position of the steps: in the middle of a short sentence. */
const POSITION = 300;

/** Serves the parent until it ends. */
export async function serveSide({ checkout, library, threads }: SideOptions): Promise<void> {
  const file = pathToFileURL(join(checkout, "packages", "higgs-audio", "dist", "parts.js"));
  const parts = (await import(file.href)) as typeof Parts;
  using backend = parts.openDevice({ device: "cpu", threads, ggmlDirectory: library });
  let model: Parts.LanguageModel | null = null;
  for await (const [task] of on(process, "message") as AsyncIterable<[Task]>) {
    const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
    if (task.kind === "load") {
      model?.[Symbol.dispose]();
      const { format, layers, slots } = task.model;
      const config = { ...parts.RELEASED_HIGGS_CONFIG, numHiddenLayers: layers };
      await using source = new parts.RandomWeightSource(backend.ggml, config, format);
      const kvTypes = parts.servedKvTypes(backend.device);
      model = await parts.LanguageModel.load(backend, source, {
        precision: "stored",
        kvTypes,
        contextLength: CONTEXT_LENGTH,
        slots,
      });
    } else if (model !== null) await run(model, task);
    const { user, system } = process.cpuUsage(startCpu);
    const measured = { wall: (performance.now() - startMs) / 1000, processor: (user + system) / 1e6, ...memory() };
    process.send?.(measured);
  }
}

async function run(model: Parts.LanguageModel, { kind, count }: Exclude<Task, { kind: "load" }>): Promise<void> {
  const { numCodebooks } = model.config;
  if (kind === "prefill") {
    await model.prefill(0, {
      isAudio: new Uint8Array(count),
      textIds: Int32Array.from({ length: count }, (_, row) => row),
      columnIds: new Int32Array(0),
    });
    return;
  }
  const graph = model.decodeGraph(POSITION + count);
  const logits = new Float32Array(model.logitsLength);
  const column = new Int32Array(numCodebooks).fill(7);
  for (let step = 0; step < count; step++) {
    for (let slot = 0; slot < model.slots; slot++) graph.setSlot(slot, column, POSITION + step);
    await graph.compute(logits);
  }
}

function memory(): Pick<Measured, "anonymousMb" | "hugeMb"> {
  const text = process.platform === "linux" ? readFileSync("/proc/self/smaps_rollup", "utf8") : "";
  const megabytes = (name: string) => Math.round(Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(text)?.[1]) / 1024);
  return { anonymousMb: megabytes("Anonymous"), hugeMb: megabytes("AnonHugePages") };
}
