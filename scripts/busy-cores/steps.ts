import { join } from "node:path";
import type { Backend } from "@higgs-worker/ggml";
import {
  CheckpointWeightSource,
  LanguageModel,
  RandomWeightSource,
  RELEASED_HIGGS_CONFIG,
  servedKvTypes,
  type WeightSource,
} from "@higgs-worker/higgs-audio/parts";

/** Names of the steps that are measured. */
export const STEPS: readonly string[] = ["demo", "4 layers q8_0", "4 layers q4_k"];

const DEMO = join(import.meta.dirname, "..", "..", "demo-checkpoint", "checkpoint");
const CONTEXT_LENGTH = 512;

export interface Step extends Disposable {
  run(): Promise<void>;
}

/** A decode step of one sequence: of the demo checkpoint, or of layers of the released shape with random weights. */
export async function openStep(name: string, backend: Backend): Promise<Step> {
  await using source = await openSource(name, backend);
  const model = await LanguageModel.load(backend, source, {
    precision: "stored",
    kvTypes: servedKvTypes(backend.device),
    contextLength: CONTEXT_LENGTH,
    slots: 1,
  });
  const graph = model.decodeGraph(CONTEXT_LENGTH, 1);
  const logits = new Float32Array(model.logitsLength);
  const column = new Int32Array(model.config.numCodebooks).fill(7);
  return {
    run: async () => {
      graph.setSlot(0, column, CONTEXT_LENGTH / 2);
      await graph.compute(logits);
    },
    [Symbol.dispose]: () => model[Symbol.dispose](),
  };
}

async function openSource(name: string, backend: Backend): Promise<WeightSource> {
  const format = /^4 layers (q8_0|q4_k)$/.exec(name)?.[1] as "q8_0" | "q4_k" | undefined;
  if (format === undefined) return CheckpointWeightSource.open(DEMO);
  const config = { ...RELEASED_HIGGS_CONFIG, numHiddenLayers: 4 };
  return new RandomWeightSource(backend.ggml, config, format);
}
