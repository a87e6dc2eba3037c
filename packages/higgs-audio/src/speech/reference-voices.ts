import { createHash } from "node:crypto";
import { LruCache } from "@higgs-worker/base";
import type { CodecDecoder } from "../codec/codec-decoder.ts";
import { type VoiceStatistics, voiceStatistics } from "../guard/index.ts";
import type { Codes } from "../prompt/messages.ts";
import type { PromptReference } from "../prompt/references.ts";
import type { SpeakOptions } from "./types.ts";

/** Voices that are remembered; each is a few hundred bytes. */
const MAX_VOICES = 1000;

/** How reference clips sound, measured once: of what their codes decode to, since the speech goes through the same codec. */
export class ReferenceVoices {
  readonly #decoder: Pick<CodecDecoder, "decode" | "sampleRateHz">;
  readonly #known = new LruCache<string, { readonly voice: VoiceStatistics | null }>({ maxEntries: MAX_VOICES });

  constructor(decoder: Pick<CodecDecoder, "decode" | "sampleRateHz">) {
    this.#decoder = decoder;
  }

  /** The voices of the clips, null where too little is heard; none when a described voice is among them. */
  async of(
    references: readonly PromptReference[],
    options: Pick<SpeakOptions, "signal">,
  ): Promise<(VoiceStatistics | null)[]> {
    const voices: (VoiceStatistics | null)[] = [];
    for (const reference of references) {
      if (reference.kind !== "clip") return [];
      voices.push(await this.#measure(reference.codes, options));
    }
    return voices;
  }

  async #measure(codes: Codes, options: Pick<SpeakOptions, "signal">): Promise<VoiceStatistics | null> {
    const key = keyOf(codes);
    const known = this.#known.get(key);
    if (known !== undefined) return known.voice;
    const voice = voiceStatistics(await this.#decoder.decode(codes, options), this.#decoder.sampleRateHz);
    this.#known.set(key, { voice });
    return voice;
  }
}

function keyOf(codes: Codes): string {
  const hash = createHash("sha256");
  for (const row of codes) hash.update(row);
  return hash.digest("base64");
}
