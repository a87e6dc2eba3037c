/** Measurements of audio. Levels are linear; 1 is full scale. */
export interface AudioMeasures {
  readonly durationSeconds: number;
  readonly sampleCount: number;
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
  const meter = new AudioMeter(sampleRateHz);
  meter.add(pcm);
  return meter.measures;
}

/** Measures audio that comes in parts, the same as `measureAudio` of the whole. It keeps no samples. */
export class AudioMeter {
  readonly #sampleRateHz: number;
  readonly #blockSamples: number;
  #sampleCount = 0;
  #peak = 0;
  #clippedSamples = 0;
  #nonFiniteSamples = 0;
  #energy = 0;
  #blocks = 0;
  #silentBlocks = 0;
  /** Of the block that is not full yet. */
  #openSamples = 0;
  #openEnergy = 0;

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz;
    this.#blockSamples = Math.max(1, Math.round(sampleRateHz * SILENCE_BLOCK_SECONDS));
  }

  add(pcm: Float32Array): void {
    this.#sampleCount += pcm.length;
    for (let start = 0; start < pcm.length;) {
      const end = Math.min(start + this.#blockSamples - this.#openSamples, pcm.length);
      this.#addToBlock(pcm, start, end);
      if (this.#openSamples === this.#blockSamples) this.#closeBlock();
      start = end;
    }
  }

  /** Of everything so far. */
  get measures(): AudioMeasures {
    const isOpen = this.#openSamples > 0;
    const blocks = this.#blocks + (isOpen ? 1 : 0);
    const silentBlocks = this.#silentBlocks + (isOpen && this.#isOpenBlockSilent() ? 1 : 0);
    const energy = this.#energy + this.#openEnergy;
    return {
      durationSeconds: this.#sampleCount / this.#sampleRateHz,
      sampleCount: this.#sampleCount,
      peak: this.#peak,
      rms: this.#sampleCount === 0 ? 0 : Math.sqrt(energy / this.#sampleCount),
      silenceShare: blocks === 0 ? 1 : silentBlocks / blocks,
      clippedSamples: this.#clippedSamples,
      nonFiniteSamples: this.#nonFiniteSamples,
    };
  }

  #addToBlock(pcm: Float32Array, start: number, end: number): void {
    let energy = this.#openEnergy;
    for (let i = start; i < end; i++) {
      const sample = pcm[i] ?? 0;
      if (!Number.isFinite(sample)) {
        this.#nonFiniteSamples++;
        continue;
      }
      const level = Math.abs(sample);
      if (level > this.#peak) this.#peak = level;
      if (level > 1) this.#clippedSamples++;
      energy += sample * sample;
    }
    this.#openEnergy = energy;
    this.#openSamples += end - start;
  }

  #isOpenBlockSilent(): boolean {
    return Math.sqrt(this.#openEnergy / this.#openSamples) < SILENCE_RMS;
  }

  #closeBlock(): void {
    if (this.#isOpenBlockSilent()) this.#silentBlocks++;
    this.#blocks++;
    this.#energy += this.#openEnergy;
    this.#openEnergy = 0;
    this.#openSamples = 0;
  }
}
