import { afterEach, describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { parseJobInput } from "../job/parse-input.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { closeServedDoors, serveDoors } from "../testing/served-doors.ts";
import { LOAD_BALANCER_LIMITS, refuseForeseeableCut } from "./platform-limits.ts";

afterEach(closeServedDoors);

const { config } = loadConfig({}, {});
const SPEECH = "/v1/audio/speech";
const HELLO = { input: "The sun is warm.", voice: "profile:male_en", response_format: "pcm" };

function refusalOf(fields: Readonly<Record<string, unknown>>, workPerAudio: number | null = null): string {
  try {
    refuseForeseeableCut(parseJobInput(fields, config), LOAD_BALANCER_LIMITS, workPerAudio);
    return "";
  } catch (error) {
    return String(error);
  }
}

describe("behind a load balancer", () => {
  const long = "The sun is warm and the sky is blue. ".repeat(500);

  it("an answer of more than 30 MB is refused before it is made, unless it is small enough in another format", () => {
    const fields = { transcript: long, chunk_method: "word", sample_rate: 48_000 };
    expect(refusalOf({ ...fields, output_format: "wav" })).toMatch(
      /^RESULT_TOO_LARGE: .*ask for mp3 or opus .*limit 30000000/,
    );
    expect(refusalOf({ ...fields, output_format: "mp3" })).toBe("");
    expect(refusalOf({ ...fields, transcript: "Hello." })).toBe("");
    // One chunk ends at its limit, however long the text is.
    expect(refusalOf({ ...fields, chunk_method: "none" })).toBe("");
  });

  it("a text that would take more than its time is refused as soon as the speed is known", () => {
    const fields = { transcript: long, chunk_method: "word", output_format: "mp3" };
    expect(refusalOf(fields, 0.1)).toBe("");
    expect(refusalOf(fields, 1)).toMatch(/^INVALID_INPUT: .*longer than the load balancer allows.*limit 320 s/);
  });

  it("a speech whose time is over before its first audio is answered so, before the balancer cuts it off", async () => {
    const limits = { timeMs: 50, answerBytes: 30e6 };
    const { post, server } = await serveDoors({ model: fakeModel({ frames: 5000, frameMs: 1 }), limits });
    for (const body of [HELLO, { ...HELLO, stream: false }]) {
      const response = await post(SPEECH, body);
      expect(response.status).toBe(504);
      expect(await response.json()).toMatchObject({ error: { code: "DEADLINE_EXCEEDED" } });
    }
    await expect.poll(() => server.api.queue.counts.inProgress).toBe(0);
  });

  it("one that is over midway breaks off, and one in time is whole", async () => {
    let response = new Response();
    // A slow machine has no audio in a second, which is another answer: it gets more time.
    for (const timeMs of [1_000, 4_000, 16_000, 64_000]) {
      const limits = { timeMs, answerBytes: 30e6 };
      const { post } = await serveDoors({
        model: fakeModel({ isLive: true, frames: 1000, frameMs: timeMs / 200 }),
        limits,
      });
      response = await post(SPEECH, HELLO);
      if (response.status === 200) break;
      expect(response.status).toBe(504);
    }
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow("terminated");
    const { post: quick } = await serveDoors({
      model: fakeModel({ isLive: true, frames: 5 }),
      limits: LOAD_BALANCER_LIMITS,
    });
    expect((await (await quick(SPEECH, HELLO)).arrayBuffer()).byteLength).toBe(5 * 960 * 2);
  });

  it("a body of more than 20 MiB is refused by its length alone", async () => {
    const { post } = await serveDoors({ limits: LOAD_BALANCER_LIMITS });
    const response = await post(SPEECH, JSON.stringify({ ...HELLO, input: "a".repeat(21 * 2 ** 20) }));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: "TOO_LARGE" } });
  });
});
