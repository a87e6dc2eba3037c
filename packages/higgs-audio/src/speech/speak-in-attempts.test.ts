import { describe, expect, it } from "vitest";
import { framesIn } from "../codec/codes.ts";
import { RetryBudget } from "./retry-budget.ts";
import { speakInAttempts } from "./speak-in-attempts.ts";
import {
  codesOf,
  generatedOf,
  inspectionOf,
  playFrames,
  recordAudio,
  type ScriptedAttempt,
} from "./testing/scripted-speech.ts";

interface Options {
  readonly maxRetries?: number;
  readonly audio?: ReturnType<typeof recordAudio>;
  readonly isGuarded?: boolean;
  readonly allows?: (retries: number) => boolean;
}

/** Speaks a chunk whose attempt n has the codes n. */
async function speak(script: readonly ScriptedAttempt[], options: Options = {}) {
  const { maxRetries = 2, audio = recordAudio(), isGuarded = true } = options;
  const budget = new RetryBudget({ maxRetries, deadlineAtMs: null });
  const made: number[] = [];
  let attempt = -1;
  const scripted = (): ScriptedAttempt => script[attempt] ?? { frames: 0 };
  const result = await speakInAttempts({
    audio,
    budget: options.allows === undefined ? budget : { allows: options.allows, note: () => undefined },
    framesToMake: 10,
    generate: async (index, onFrames) => {
      attempt = index;
      made.push(0);
      const generated = generatedOf(scripted(), index);
      playFrames(generated, (frames, end) => {
        made[index] = end;
        onFrames(frames, end);
      });
      return generated;
    },
    judge: isGuarded
      ? {
          watch: () => {
            let frames = 0;
            return {
              push: (codes) => ((frames += framesIn(codes)) >= (scripted().hopelessAt ?? Infinity) ? {} : null),
            };
          },
          inspect: async () => inspectionOf(scripted().score ?? 1),
        }
      : null,
  });
  return { ...result, code: result.kept.generated.codes[0]?.[0], made, audio };
}

const BAD = { frames: 20, score: 0.1 };
const GOOD = { frames: 8 };

describe("speakInAttempts", () => {
  it("keeps a good first attempt, and whatever comes without the guard", async () => {
    expect(await speak([GOOD])).toMatchObject({ count: 1, code: 0, wastedMs: 0 });
    const unguarded = await speak([BAD], { isGuarded: false });
    expect(unguarded).toMatchObject({ count: 1, code: 0, kept: { inspection: null } });
  });

  it("speaks a bad chunk again until it is good", async () => {
    const { count, code, audio, wastedMs } = await speak([BAD, BAD, GOOD]);
    expect([count, code, wastedMs]).toEqual([3, 2, 20]);
    expect(audio.events).toEqual(["drop", "drop"]);
  });

  it("keeps the best when all are bad, with its audio", async () => {
    const { count, kept, audio } = await speak([BAD, { frames: 5, score: 0.3 }, { frames: 6, score: 0.2 }]);
    expect(count).toBe(3);
    expect(kept.inspection?.score).toBe(0.3);
    await audio.endChunk(kept.generated.codes, { end: "text", pauseAfterSeconds: null, isLast: true });
    expect(audio.heard()).toEqual(codesOf(1, 5));
  });

  it("prefers one that the model ended to one that was cut off, and any to none at all", async () => {
    const cut = { frames: 30, finished: "length", score: 0.4 } as const;
    expect((await speak([cut, { frames: 9, score: 0.1 }, cut])).code).toBe(1);
    const silent = { frames: 0 };
    expect((await speak([silent, { frames: 9, score: 0.01 }, silent])).code).toBe(1);
    expect(framesIn((await speak([silent, silent, silent])).kept.generated.codes)).toBe(0);
  });

  it("makes no more attempts than the budget allows, and asks it for each", async () => {
    expect((await speak([BAD, GOOD], { maxRetries: 0 })).count).toBe(1);
    const asked: number[] = [];
    const allows = (retries: number): boolean => {
      asked.push(retries);
      return retries < 1;
    };
    expect(await speak([BAD, BAD, GOOD], { allows })).toMatchObject({ count: 2 });
    expect(asked).toEqual([0, 1]);
  });

  it("gives a hopeless attempt up at once, but not the last one", async () => {
    const hopeless = { frames: 100, hopelessAt: 12, score: 0.1 };
    const { made, count, code } = await speak([hopeless, hopeless, hopeless]);
    expect(made).toEqual([12, 12, 100]);
    expect([count, code]).toEqual([3, 2]);
    expect((await speak([hopeless], { maxRetries: 0 })).made).toEqual([100]);
  });

  it("keeps what the listener has heard something of", async () => {
    const audio = recordAudio({ lookahead: 4 });
    const { count, code, kept } = await speak([{ frames: 20, score: 0.1, hopelessAt: 10 }], { audio });
    expect([count, code]).toEqual([1, 0]);
    expect(kept.inspection?.score).toBe(0.1);
    expect(audio.heard()).toEqual(codesOf(0, 16));
  });

  it("takes an attempt back as long as nothing of it was heard", async () => {
    const audio = recordAudio({ lookahead: 10 });
    const { count, kept } = await speak(
      [
        { frames: 9, score: 0.1 },
        { frames: 14, score: 0.1 },
      ],
      { audio },
    );
    // The second is longer than the lookahead, so that it stays although the first was no worse.
    expect(count).toBe(2);
    await audio.endChunk(kept.generated.codes, { end: "text", pauseAfterSeconds: null, isLast: true });
    expect(audio.heard()).toEqual(codesOf(1, 14));
  });

  it("ends with the errors of the model and of the audio", async () => {
    const broken = new Error("broken");
    const options = {
      audio: recordAudio(),
      budget: new RetryBudget({ maxRetries: 2, deadlineAtMs: null }),
      framesToMake: 1,
      judge: { watch: () => ({ push: () => null }), inspect: async () => inspectionOf(1) },
    };
    await expect(speakInAttempts({ ...options, generate: () => Promise.reject(broken) })).rejects.toBe(broken);
    const audio = { ...recordAudio(), decodedChunk: () => Promise.reject(broken) };
    const generate = async () => generatedOf(GOOD, 0);
    await expect(speakInAttempts({ ...options, audio, generate })).rejects.toBe(broken);
  });
});
