import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadReference } from "@higgs-worker/audio";
import { DEMO } from "./takes.ts";

/** The samples of a demo voice. */
export async function voiceSamples(name: string, sampleRateHz: number): Promise<Float32Array> {
  const { samples } = await loadReference(readFileSync(join(DEMO, "voices", `${name}.wav`)), sampleRateHz);
  return samples;
}
