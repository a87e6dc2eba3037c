import {
  type ChunkFacts,
  type Measured,
  measureChunk,
  resolveGuardThresholds,
  type VoiceStatistics,
  voiceStatistics,
} from "@higgs-worker/higgs-audio/guard";
import { estimateSpeechLength } from "@higgs-worker/higgs-audio/parts";
import type { Speech } from "./faults.ts";
import type { Take } from "./takes.ts";
import { voiceSamples } from "./voices.ts";

export const SAMPLE_RATE_HZ = 24_000;
export const FRAMES_PER_SECOND = 25;

/**
 * Voices that the demo checkpoint speaks with when it is given their clip. For `kal`, and for the clips with another pitch, it now and
 * then takes one of these (model card); whether that is a fault of the guard or of the model cannot be told, so they are not asked for
 * their voice.
 */
export const CLONED_VOICES = ["slt", "rms", "awb"] as const;

/** The voice statistics of the clips of the cloned voices. */
export async function loadVoiceStatistics(): Promise<Map<string, VoiceStatistics>> {
  const voices = new Map<string, VoiceStatistics>();
  for (const name of CLONED_VOICES) {
    const statistics = voiceStatistics(await voiceSamples(name, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ);
    if (statistics !== null) voices.set(name, statistics);
  }
  return voices;
}

/** What the guard is told of a take, compared with a voice or with none. */
export function factsOf(take: Take, { codes, pcm }: Speech, voice: VoiceStatistics | null): ChunkFacts {
  return {
    codes,
    pcm,
    sampleRateHz: SAMPLE_RATE_HZ,
    framesPerSecond: FRAMES_PER_SECOND,
    textTokens: take.textTokens,
    // As the plan does.
    expectedFrames: Math.max(1, Math.ceil(estimateSpeechLength(take.text).seconds * FRAMES_PER_SECOND)),
    finished: take.finished,
    voice,
  };
}

/** All detectors' answers with the default thresholds. */
export function judgeFacts(facts: ChunkFacts): Measured[] {
  return measureChunk(facts, resolveGuardThresholds());
}

export function alarmsIn(measured: readonly Measured[]): Measured[] {
  return measured.filter(({ excess, finding }) => excess > 1 && finding.isBad);
}
