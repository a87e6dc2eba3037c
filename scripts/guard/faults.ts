import { ChunkRandom } from "@higgs-worker/higgs-audio/parts";

/** What can be planted in good speech. */
export const FAULT_KINDS = [
  "loop",
  "loop with other high codes",
  "held sound",
  "cut",
  "speech goes on",
  "random codes at the end",
  "silence inside",
  "noise at the end",
  "hum at the end",
  "clipping",
  "DC offset",
  "wrong voice",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** A chunk of speech, as the guard sees it. */
export interface Speech {
  readonly codes: readonly Int32Array[];
  readonly pcm: Float32Array;
}

export interface FaultTools {
  readonly sampleRateHz: number;
  readonly framesPerSecond: number;
  readonly codebookSize: number;
  readonly decode: (codes: readonly Int32Array[]) => Promise<Float32Array>;
  /** Other good speech in the same voice, to go on with. */
  readonly others: readonly (() => Speech)[];
}

/** Numbers 0 … 1 of one fault, in order: the same each time. */
export class FaultRandom {
  readonly #random: ChunkRandom;
  #draws = 0;

  constructor(index: number) {
    this.#random = new ChunkRandom(index, 1);
  }

  between(low: number, high: number): number {
    return low + this.#random.uniform(this.#draws++, 0, "draw") * (high - low);
  }

  /** An integer low … high. */
  integer(low: number, high: number): number {
    return Math.min(high, Math.floor(this.between(low, high + 1)));
  }
}

/** Good speech with a fault in it, of a kind and a strength that only depend on the fault's number. */
export async function plantFault(
  kind: FaultKind,
  good: Speech,
  random: FaultRandom,
  tools: FaultTools,
): Promise<Speech> {
  const decoded = async (codes: Int32Array[]): Promise<Speech> => ({ codes, pcm: await tools.decode(codes) });
  switch (kind) {
    case "loop":
      return decoded(withLoop(good.codes, random, tools, { otherShare: 0 }));
    case "loop with other high codes":
      return decoded(withLoop(good.codes, random, tools, { otherShare: random.between(0.1, 0.5) }));
    case "held sound":
      return decoded(withHeldSound(good, random, tools));
    case "cut":
      return decoded(cutAt(good.codes, Math.round(framesOf(good) * random.between(0.15, 0.7))));
    case "speech goes on":
      return decoded(goOn(good, random, tools));
    case "random codes at the end":
      return decoded(withRandomEnd(good.codes, random, tools));
    case "silence inside":
      return { ...good, pcm: withSilence(good.pcm, random, tools) };
    case "noise at the end":
      return { ...good, pcm: withEnd(good.pcm, random, tools, coloredNoise(random)) };
    case "hum at the end":
      return { ...good, pcm: withEnd(good.pcm, random, tools, hum(random, tools)) };
    case "clipping":
      return { ...good, pcm: amplified(good.pcm, random) };
    case "DC offset": {
      const offset = random.between(0.02, 0.2) * (random.between(0, 1) < 0.5 ? -1 : 1);
      return { ...good, pcm: good.pcm.map((sample) => sample + offset) };
    }
    case "wrong voice":
    default:
      return good;
  }
}

function framesOf({ codes }: Speech): number {
  return codes[0]?.length ?? 0;
}

function cutAt(codes: readonly Int32Array[], frames: number): Int32Array[] {
  return codes.map((row) => row.slice(0, Math.max(1, frames)));
}

/** Blocks of 3 frames to 2 s that come again for 1 to 6 s more, then the rest, or nothing more. */
function withLoop(
  codes: readonly Int32Array[],
  random: FaultRandom,
  tools: FaultTools,
  { otherShare }: { readonly otherShare: number },
): Int32Array[] {
  const frames = codes[0]?.length ?? 0;
  const period = Math.min(random.integer(3, 50), frames - 8);
  const first = random.integer(2, frames - period - 4);
  const extra = random.between(1, 6) * tools.framesPerSecond;
  const times = Math.max(1, Math.round(extra / period));
  const goesOn = random.between(0, 1) < 0.7;
  return codes.map((row, codebook) => {
    const block = row.subarray(first, first + period);
    const copies = Array.from({ length: times }, () =>
      block.map((code) =>
        codebook >= 2 && random.between(0, 1) < otherShare ? random.integer(0, tools.codebookSize - 1) : code,
      ),
    );
    return joined([row.subarray(0, first + period), ...copies, goesOn ? row.subarray(first + period) : []]);
  });
}

/** One loud frame for 1.2 to 6 s, inside or at the end. */
function withHeldSound({ codes, pcm }: Speech, random: FaultRandom, tools: FaultTools): Int32Array[] {
  const samplesPerFrame = tools.sampleRateHz / tools.framesPerSecond;
  const energies = Array.from({ length: codes[0]?.length ?? 0 }, (_, frame) =>
    pcm.subarray(frame * samplesPerFrame, (frame + 1) * samplesPerFrame).reduce((sum, x) => sum + x * x, 0),
  );
  const loud = [...energies.keys()].toSorted((a, b) => (energies[b] ?? 0) - (energies[a] ?? 0));
  const frame = loud[random.integer(0, Math.floor(loud.length / 3))] ?? 0;
  const times = Math.round(random.between(1.2, 6) * tools.framesPerSecond);
  const goesOn = random.between(0, 1) < 0.5;
  return codes.map((row) =>
    joined([
      row.subarray(0, frame + 1),
      new Int32Array(times).fill(row[frame] ?? 0),
      goesOn ? row.subarray(frame + 1) : [],
    ]),
  );
}

/** Other sentences behind the text's own, until there are 3 to 6 times its frames and at least 10 s. */
function goOn(good: Speech, random: FaultRandom, tools: FaultTools): Int32Array[] {
  const wanted = Math.max(10 * tools.framesPerSecond, framesOf(good) * random.between(3, 6));
  const parts = [good];
  for (let frames = framesOf(good), next = random.integer(0, 999); frames < wanted; next++) {
    const other = tools.others[next % tools.others.length]?.();
    if (other === undefined) break;
    parts.push(other);
    frames += framesOf(other);
  }
  return good.codes.map((_, codebook) => joined(parts.map(({ codes }) => codes[codebook] ?? [])));
}

function withRandomEnd(codes: readonly Int32Array[], random: FaultRandom, tools: FaultTools): Int32Array[] {
  const frames = Math.round(random.between(0.6, 4) * tools.framesPerSecond);
  return codes.map((row) =>
    joined([row, Int32Array.from({ length: frames }, () => random.integer(0, tools.codebookSize - 1))]),
  );
}

function joined(parts: readonly (ArrayLike<number> & Iterable<number>)[]): Int32Array {
  return Int32Array.from(parts.flatMap((part) => [...part]));
}

/** 2.1 to 6 s of digital silence or of a quiet room, anywhere in the middle half. */
function withSilence(pcm: Float32Array, random: FaultRandom, { sampleRateHz }: FaultTools): Float32Array {
  const at = Math.round(pcm.length * random.between(0.25, 0.75));
  const level = random.between(0, 1) < 0.5 ? 0 : 10 ** (random.between(-80, -60) / 20);
  const silence = new Float32Array(Math.round(random.between(2.1, 6) * sampleRateHz));
  return joinedSamples([pcm.subarray(0, at), silence.map(() => level * gaussian(random)), pcm.subarray(at)]);
}

/** 0.5 to 4 s of a sound at −40 to −18 dB of full scale (speech lies at −20), behind the speech or after a gap of up to 0.3 s. */
function withEnd(
  pcm: Float32Array,
  random: FaultRandom,
  { sampleRateHz }: FaultTools,
  sound: (samples: number) => Float32Array,
): Float32Array {
  const gap = new Float32Array(Math.round((random.between(0, 1) < 0.5 ? 0 : random.between(0, 0.3)) * sampleRateHz));
  const tail = sound(Math.round(random.between(0.5, 4) * sampleRateHz));
  const level = 10 ** (random.between(-40, -18) / 20);
  const rms = Math.sqrt(tail.reduce((sum, sample) => sum + sample * sample, 0) / tail.length);
  return joinedSamples([pcm, gap, tail.map((sample) => (sample * level) / rms)]);
}

/** White to brown: a one-pole low-pass of white noise. */
function coloredNoise(random: FaultRandom): (samples: number) => Float32Array {
  const pole = random.between(0, 0.97);
  return (samples) => {
    let before = 0;
    return new Float32Array(samples).map(() => (before = pole * before + gaussian(random)));
  };
}

/** A tone of 50 to 400 Hz with up to 12 falling harmonics. */
function hum(random: FaultRandom, { sampleRateHz }: FaultTools): (samples: number) => Float32Array {
  const hertz = random.between(50, 400);
  const harmonics = random.integer(1, 12);
  const phases = Array.from({ length: harmonics }, () => random.between(0, 2 * Math.PI));
  return (samples) =>
    new Float32Array(samples).map((_, i) =>
      phases.reduce(
        (sum, phase, index) =>
          sum + Math.sin((2 * Math.PI * hertz * (index + 1) * i) / sampleRateHz + phase) / (index + 1),
        0,
      ),
    );
}

/** So loud that 0.5 to 10 % of the samples are beyond full scale, clipped there or not. */
function amplified(pcm: Float32Array, random: FaultRandom): Float32Array {
  const share = random.between(0.005, 0.1);
  const isClamped = random.between(0, 1) < 0.5;
  const sorted = pcm.map((sample) => Math.abs(sample)).toSorted();
  const gain = 1.001 / (sorted[Math.floor((1 - share) * sorted.length)] ?? 1);
  return pcm.map((sample) => (isClamped ? Math.max(-1, Math.min(1, sample * gain)) : sample * gain));
}

function gaussian(random: FaultRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.between(0, 1))) * Math.cos(2 * Math.PI * random.between(0, 1));
}

function joinedSamples(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
