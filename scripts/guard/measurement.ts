import { join } from "node:path";
import { type FindingCode, GuardWatch, type Measured, resolveGuardThresholds } from "@higgs-worker/higgs-audio/guard";
import { FAULT_KINDS, type FaultKind } from "./faults.ts";
import { loudestTrimmedDb } from "./trimmed-sound.ts";
import { type Heard, hearTakes } from "./hear-takes.ts";
import { alarmsIn, factsOf, FRAMES_PER_SECOND, judgeFacts, loadVoiceStatistics } from "./judge.ts";
import { type FaultyTake, isCloned, kindOf, plantFaults } from "./plant-faults.ts";
import { speakTakes } from "./speak-takes.ts";
import { TakeStore } from "./take-store.ts";
import { FIRST_REPEATING_TAKE, type Take } from "./takes.ts";

/** A take is good if the model ended it by itself and the recognizer made an error in at most half of its words. */
const LARGEST_ERROR_SHARE = 0.5;

/** Sentences that repeat words, as a share of the others. */
const REPEATING_SHARE = 0.02;

export interface Caught {
  readonly faults: number;
  readonly caught: number;
}

export interface KindReport {
  readonly kind: FaultKind;
  readonly tuning: Caught;
  readonly heldOut: Caught;
  /** How many have each finding, the most frequent first. */
  readonly findings: readonly (readonly [FindingCode, number])[];
}

export interface CodeReport {
  readonly code: FindingCode;
  /** Good takes that were asked, and how many of them it found bad. */
  readonly good: number;
  readonly alarms: number;
  /** Excesses of all good takes and of all planted faults; 1 is the threshold. */
  readonly goodExcesses: readonly number[];
  readonly faultExcesses: readonly number[];
}

export interface GuardReport {
  readonly takes: number;
  readonly ended: number;
  readonly heard: number;
  readonly good: number;
  /** Good takes with any bad finding. */
  readonly falseAlarms: number;
  /** Takes that are not good, and those of them with a bad finding. */
  readonly notGood: number;
  readonly notGoodCaught: number;
  readonly kinds: readonly KindReport[];
  readonly codes: readonly CodeReport[];
  /** Takes of sentences that repeat words, and those of them with a LOOP. */
  readonly repeating: number;
  readonly repeatingLoops: number;
  /** For each good take, the loudest 10 ms that trimming takes away, in dB of its loud parts. */
  readonly trimmedDb: readonly number[];
  /** Processor time of the guard per second of audio, of the watch per frame, and of speaking per second of audio. */
  readonly inspectMsPerSecond: number;
  readonly watchMicrosecondsPerFrame: number;
  readonly speakMsPerSecond: number;
  /** A line for every false alarm. */
  readonly alarmLines: readonly string[];
  readonly missedLines: readonly string[];
}

export interface MeasureOptions {
  readonly folder: string;
  readonly takes: number;
  /** How many of them the recognizer hears, from the first one on; only these can be good. */
  readonly heardTakes: number;
  readonly faults: number;
}

/** Speaks, hears, plants and judges; what the folder has already is not made again. */
export async function measureGuard({
  folder,
  takes: takeCount,
  heardTakes,
  faults: faultCount,
}: MeasureOptions): Promise<GuardReport> {
  const store = new TakeStore(folder);
  const repeatingCount = Math.ceil(takeCount * REPEATING_SHARE);
  await speakTakes(store, [
    ...Array.from({ length: takeCount }, (_, index) => index),
    ...Array.from({ length: repeatingCount }, (_, index) => FIRST_REPEATING_TAKE + index),
  ]);
  const takes = store.takes.filter(({ index }) => index < takeCount);
  const repeating = store.takes.filter(
    ({ index }) => index >= FIRST_REPEATING_TAKE && index < FIRST_REPEATING_TAKE + repeatingCount,
  );
  const heard = hearTakes(
    store,
    takes.filter(({ index }) => index < heardTakes),
  );
  const good = takes.filter((take) => isGood(take, heard.get(take.index)));
  const faults = new TakeStore<FaultyTake>(join(folder, "faults"));
  await plantFaults(faults, faultCount, good, store);
  const faulty = faults.takes.filter(({ index }) => index < faultCount);
  return judgeAll({
    store,
    takes,
    heard: takes.filter(({ index }) => heard.has(index)),
    good,
    repeating,
    faults,
    faulty,
  });
}

function isGood({ finished }: Take, heard: Heard | undefined): boolean {
  return finished === "eos" && heard !== undefined && heard.errors <= LARGEST_ERROR_SHARE * heard.words;
}

interface Material {
  readonly store: TakeStore;
  readonly takes: readonly Take[];
  readonly heard: readonly Take[];
  readonly good: readonly Take[];
  readonly repeating: readonly Take[];
  readonly faults: TakeStore<FaultyTake>;
  readonly faulty: readonly FaultyTake[];
}

async function judgeAll({ store, takes, heard, good, repeating, faults, faulty }: Material): Promise<GuardReport> {
  const voices = await loadVoiceStatistics();
  const isGoodTake = new Set(good.map(({ index }) => index));
  const excesses = new Map<FindingCode, { good: number[]; fault: number[] }>();
  const keep = (side: "good" | "fault", measured: readonly Measured[]): void => {
    for (const { excess, finding } of measured) {
      const own = excesses.get(finding.code) ?? { good: [], fault: [] };
      own[side].push(excess);
      excesses.set(finding.code, own);
    }
  };
  const alarmLines: string[] = [];
  let notGoodCaught = 0;
  const cpuBefore = process.cpuUsage();
  for (const take of heard) {
    const voice = isCloned(take.voice) ? (voices.get(take.voice ?? "") ?? null) : null;
    const measured = judgeFacts(factsOf(take, store.speechOf(take), voice));
    const alarms = alarmsIn(measured);
    if (!isGoodTake.has(take.index)) notGoodCaught += alarms.length > 0 ? 1 : 0;
    else {
      keep("good", measured);
      if (alarms.length > 0) alarmLines.push(`take ${take.index} (${take.text}): ${describe(alarms)}`);
    }
  }
  const { user } = process.cpuUsage(cpuBefore);
  const seconds = heard.reduce((sum, { frames }) => sum + frames, 0) / FRAMES_PER_SECOND;
  const missedLines: string[] = [];
  const found: { readonly fault: FaultyTake; readonly alarms: readonly Measured[] }[] = [];
  for (const fault of faulty) {
    const voice = voices.get(fault.wantedVoice ?? "") ?? null;
    const measured = judgeFacts(factsOf(fault, faults.speechOf(fault), voice));
    const alarms = alarmsIn(measured);
    keep("fault", measured);
    found.push({ fault, alarms });
    if (alarms.length === 0) missedLines.push(`fault ${fault.index} (${fault.kind}, ${String(fault.wantedVoice)})`);
  }
  return {
    takes: takes.length,
    ended: takes.filter(({ finished }) => finished === "eos").length,
    heard: heard.length,
    good: good.length,
    falseAlarms: alarmLines.length,
    notGood: heard.length - good.length,
    notGoodCaught,
    kinds: FAULT_KINDS.map((kind) => reportKind(kind, found)),
    codes: [...excesses].map(([code, own]) => ({
      code,
      good: own.good.length,
      alarms: own.good.filter((excess) => excess > 1).length,
      goodExcesses: own.good,
      faultExcesses: own.fault,
    })),
    repeating: repeating.length,
    repeatingLoops: repeating.filter((take) =>
      alarmsIn(judgeFacts(factsOf(take, store.speechOf(take), null))).some(({ finding }) => finding.code === "LOOP"),
    ).length,
    trimmedDb: good.map((take) => loudestTrimmedDb(store.pcmOf(take))),
    inspectMsPerSecond: user / 1000 / seconds,
    watchMicrosecondsPerFrame: watchCost(store, takes),
    speakMsPerSecond: speakCost(store),
    alarmLines,
    missedLines,
  };
}

function reportKind(
  kind: FaultKind,
  found: readonly { readonly fault: FaultyTake; readonly alarms: readonly Measured[] }[],
): KindReport {
  const own = found.filter(({ fault }) => fault.kind === kind);
  const count = (isHeldOut: boolean): Caught => {
    const half = own.filter(({ fault }) => kindOf(fault.index).isHeldOut === isHeldOut);
    return { faults: half.length, caught: half.filter(({ alarms }) => alarms.length > 0).length };
  };
  const findings = new Map<FindingCode, number>();
  for (const { finding } of own.flatMap(({ alarms }) => alarms)) {
    findings.set(finding.code, (findings.get(finding.code) ?? 0) + 1);
  }
  return {
    kind,
    tuning: count(false),
    heldOut: count(true),
    findings: [...findings].toSorted(([, a], [, b]) => b - a),
  };
}

/** Frames are pushed one by one, as they come. */
function watchCost(store: TakeStore, takes: readonly Take[]): number {
  const thresholds = resolveGuardThresholds();
  let frames = 0;
  let microseconds = 0;
  for (const take of takes.slice(0, 300)) {
    const codes = store.codesOf(take);
    const columns = Array.from({ length: take.frames }, (_, frame) =>
      codes.map((row) => row.subarray(frame, frame + 1)),
    );
    const cpuBefore = process.cpuUsage();
    const facts = { textTokens: take.textTokens, expectedFrames: take.frames, framesPerSecond: FRAMES_PER_SECOND };
    const watch = new GuardWatch(facts, thresholds);
    for (const column of columns) watch.push(column);
    microseconds += process.cpuUsage(cpuBefore).user;
    frames += take.frames;
  }
  return microseconds / frames;
}

function speakCost(store: TakeStore): number {
  const frames = store.costs.reduce((sum, cost) => sum + cost.frames, 0);
  const cpuSeconds = store.costs.reduce((sum, cost) => sum + cost.cpuSeconds, 0);
  return frames === 0 ? 0 : (cpuSeconds * 1000) / (frames / FRAMES_PER_SECOND);
}

function describe(alarms: readonly Measured[]): string {
  return alarms.map(({ finding }) => `${finding.code}: ${finding.detail}`).join("; ");
}
