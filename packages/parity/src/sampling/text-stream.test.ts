import { describe, expect, it } from "vitest";
import { type TextStreamIds, writeTextStream } from "./text-stream.ts";

const IDS: TextStreamIds = { audioOutBos: 2, audioOut: 3, audioEos: 4, audioDelay: 5, eot: 6, endOfText: 7 };
const SEGMENT = [3, 3, 3, 4];
const unforced = (...text: ("audio_out_bos" | "eot")[]) => ({ prompt: "plain-unforced", text, sample: null }) as const;
const speak = async (_segment: number, columnLimit: number) => SEGMENT.slice(0, columnLimit);

describe("writeTextStream", () => {
  it("speaks at once when audio is forced, and stops at the end of the turn", async () => {
    const forced = { ...unforced("eot"), prompt: "plain" as const };
    expect(await writeTextStream(forced, IDS, 30, speak)).toEqual([...SEGMENT, IDS.eot]);
  });

  it("writes text until audio begins, and several segments in one reply", async () => {
    const segments: number[] = [];
    const stream = await writeTextStream(
      unforced("audio_out_bos", "audio_out_bos", "eot"),
      IDS,
      30,
      (segment, limit) => {
        segments.push(segment, limit);
        return speak(segment, limit);
      },
    );
    expect(stream).toEqual([2, ...SEGMENT, 2, ...SEGMENT, IDS.eot]);
    expect(segments).toEqual([0, 29, 1, 24]);
  });

  it("ends with the native end of the turn", async () => {
    const stream = await writeTextStream(unforced("audio_out_bos"), IDS, 30, async () => [3, 3, 5, IDS.eot]);
    expect(stream).toEqual([2, 3, 3, 5, IDS.eot]);
  });

  it.each([1, 2, 4, 7, 8])("stops after %i steps at any place", async (maxSteps) => {
    const script = unforced("audio_out_bos", "audio_out_bos");
    expect(await writeTextStream(script, IDS, maxSteps, speak)).toHaveLength(maxSteps);
  });
});
