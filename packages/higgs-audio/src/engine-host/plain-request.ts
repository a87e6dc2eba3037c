import { HiggsError } from "@higgs-worker/base";
import type { ResolvedSpeechRequest } from "../speech/speech-request.ts";
import type { PlainRequest } from "./messages.ts";

/** Most clips were encoded before, so their samples stay here until they are asked for. */
export function withoutSamples(request: ResolvedSpeechRequest): PlainRequest {
  const references = request.references.map((reference) => {
    if (reference.kind === "profile") return reference;
    const { samples: _samples, ...rest } = reference;
    return rest;
  });
  return { ...request, references };
}

/** Of the clip with this hash. */
export async function samplesOf({ references }: ResolvedSpeechRequest, hash: string): Promise<Float32Array> {
  for (const reference of references) {
    if (reference.kind !== "clip" || reference.hash !== hash) continue;
    return typeof reference.samples === "function" ? await reference.samples() : reference.samples;
  }
  throw new HiggsError("INTERNAL", "encode the reference", "the engine asked for an unknown clip");
}
