/** Measurements of audio. Levels are linear; 1 is full scale. */
export interface AudioMeasures {
  readonly durationSeconds: number;
  readonly peak: number;
  readonly rms: number;
  /** 0 … 1: the share of 20 ms blocks whose RMS is below −50 dB of full scale. */
  readonly silenceShare: number;
  /** Samples beyond full scale, which an integer format clips. */
  readonly clippedSamples: number;
  /** NaN or infinite samples; anything but 0 means that the model or the codec failed. */
  readonly nonFiniteSamples: number;
}

const SILENCE_BLOCK_SECONDS = 0.02;
const SILENCE_RMS = 10 ** (-50 / 20);

/** Measures mono Float32 PCM. Non-finite samples count as 0 in the levels. */
export function measureAudio(pcm: Float32Array, sampleRateHz: number): AudioMeasures {
  const blockSamples = Math.max(1, Math.round(sampleRateHz * SILENCE_BLOCK_SECONDS));
  let peak = 0;
  let energy = 0;
  let clippedSamples = 0;
  let nonFiniteSamples = 0;
  let silentBlocks = 0;
  let blocks = 0;
  for (let start = 0; start < pcm.length; start += blockSamples) {
    const end = Math.min(start + blockSamples, pcm.length);
    let blockEnergy = 0;
    for (let i = start; i < end; i++) {
      const sample = pcm[i] ?? 0;
      if (!Number.isFinite(sample)) {
        nonFiniteSamples++;
        continue;
      }
      const level = Math.abs(sample);
      if (level > peak) peak = level;
      if (level > 1) clippedSamples++;
      blockEnergy += sample * sample;
    }
    if (Math.sqrt(blockEnergy / (end - start)) < SILENCE_RMS) silentBlocks++;
    blocks++;
    energy += blockEnergy;
  }
  return {
    durationSeconds: pcm.length / sampleRateHz,
    peak,
    rms: pcm.length === 0 ? 0 : Math.sqrt(energy / pcm.length),
    silenceShare: blocks === 0 ? 1 : silentBlocks / blocks,
    clippedSamples,
    nonFiniteSamples,
  };
}
