import { openDemoDecoder } from "./demo-decoder.ts";
import { FAULT_KINDS, type FaultKind, FaultRandom, plantFault } from "./faults.ts";
import { CLONED_VOICES, FRAMES_PER_SECOND, SAMPLE_RATE_HZ } from "./judge.ts";
import type { TakeStore } from "./take-store.ts";
import type { Take } from "./takes.ts";

/** A take with a fault in it. Its `index` is the fault's. */
export interface FaultyTake extends Take {
  readonly kind: FaultKind;
  /** The voice that it should have, null for any. */
  readonly wantedVoice: string | null;
}

const CODEBOOK_SIZE = 1024;
/** Sentences that speech may go on with. */
const OTHERS = 30;

/** The first six faults of each kind were looked at while the detectors were written. */
const SEEN_FAULTS = 72;

/** Which fault number `index` is; of the others, every other one of a kind was not looked at when thresholds were set. */
export function kindOf(index: number): { readonly kind: FaultKind; readonly isHeldOut: boolean } {
  const kind = FAULT_KINDS[index % FAULT_KINDS.length] ?? "loop";
  return { kind, isHeldOut: index >= SEEN_FAULTS && Math.floor(index / FAULT_KINDS.length) % 2 === 1 };
}

/** Plants the faults that `faults` lacks, each in one of the good takes. */
export async function plantFaults(
  faults: TakeStore<FaultyTake>,
  count: number,
  good: readonly Take[],
  store: TakeStore,
): Promise<void> {
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !faults.has(index));
  if (missing.length === 0) return;
  const demo = await openDemoDecoder();
  const cloned = good.filter(({ voice }) => isCloned(voice));
  for (const index of missing) {
    const { kind } = kindOf(index);
    const take = cloned[(index * 7) % cloned.length];
    if (take === undefined) throw new Error("Cannot plant faults: there is no good take in a cloned voice");
    const random = new FaultRandom(index);
    const others = cloned.filter(({ voice, index: other }) => voice === take.voice && other !== take.index);
    const speech = await plantFault(kind, store.speechOf(take), random, {
      sampleRateHz: SAMPLE_RATE_HZ,
      framesPerSecond: FRAMES_PER_SECOND,
      codebookSize: CODEBOOK_SIZE,
      decode: demo.decode,
      others: others.slice(0, OTHERS).map((other) => () => store.speechOf(other)),
    });
    const wrong = CLONED_VOICES.filter((voice) => voice !== take.voice);
    const wantedVoice = kind === "wrong voice" ? (wrong[random.integer(0, wrong.length - 1)] ?? null) : take.voice;
    const frames = speech.codes[0]?.length ?? 0;
    faults.add({ ...take, index, kind, wantedVoice, frames }, speech.codes, speech.pcm);
    if ((index + 1) % 50 === 0) console.log(`planted ${index + 1} of ${count} faults`);
  }
  demo.close();
}

export function isCloned(voice: string | null): boolean {
  return CLONED_VOICES.some((name) => name === voice);
}
