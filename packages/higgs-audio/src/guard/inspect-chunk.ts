import { measureClipping, measureOffset } from "./distortion.ts";
import { endLevelDb, measureNoiseAtEnd } from "./ending.ts";
import { measureEarlyStop, measureRunaway, type SpokenPart } from "./length.ts";
import { measureLevels } from "./levels.ts";
import { measureLoop, newCodeLoops } from "./loop.ts";
import { type Measured, scoreOf } from "./measured.ts";
import { measureSilence, silentBlocks } from "./silence.ts";
import { measureSpectrum } from "./spectrum.ts";
import type { GuardThresholds } from "./thresholds.ts";
import type { ChunkFacts, Inspection } from "./types.ts";
import { measureVoiceChange } from "./voice-change.ts";
import { voiceOf } from "./voice-statistics.ts";

/** Looks for everything that tells a bad chunk from a good one. Pure; about 2 ms a second of audio. */
export function inspectChunk(facts: ChunkFacts, thresholds: GuardThresholds): Inspection {
  const measured = measureChunk(facts, thresholds);
  return {
    findings: measured.filter(({ excess }) => excess > 1).map(({ finding }) => finding),
    score: scoreOf(measured),
  };
}

/** The answers of all detectors, also of those that found nothing, in the order of the codes. */
export function measureChunk(facts: ChunkFacts, thresholds: GuardThresholds): Measured[] {
  const { codes, pcm, sampleRateHz, framesPerSecond, voice } = facts;
  const frames = codes[0]?.length ?? 0;
  const loops = newCodeLoops(framesPerSecond);
  loops.push(codes);
  const runaway = measureRunaway(frames, facts, thresholds);
  if (pcm === null) {
    const earlyStop = measureEarlyStop({ frames, endLevelDb: null }, facts, thresholds);
    return [runaway, earlyStop, measureLoop(loops, framesPerSecond, thresholds.heldCodesSeconds, thresholds)];
  }
  const levels = measureLevels(pcm, sampleRateHz);
  const spectrum = measureSpectrum(pcm, sampleRateHz);
  const isSilent = silentBlocks(levels, thresholds);
  const noise = measureNoiseAtEnd(levels, spectrum, isSilent, thresholds);
  const spoken: SpokenPart = {
    frames: (isSilent.lastIndexOf(0) + 1 - isSilent.indexOf(0)) * levels.blockSeconds * framesPerSecond,
    // Noise at the end is not speech that breaks off.
    endLevelDb: noise.excess > 1 ? null : endLevelDb(levels),
  };
  const own = voice === null ? null : voiceOf(pcm, sampleRateHz, { levels, spectrum });
  return [
    runaway,
    measureEarlyStop(spoken, facts, thresholds),
    measureLoop(loops, framesPerSecond, thresholds.heldSoundSeconds, thresholds),
    measureSilence(levels, isSilent, thresholds),
    noise,
    measureClipping(pcm, sampleRateHz, thresholds),
    measureOffset(levels, thresholds),
    ...(voice === null || own === null ? [] : [measureVoiceChange(own, voice, pcm.length / sampleRateHz, thresholds)]),
  ];
}
