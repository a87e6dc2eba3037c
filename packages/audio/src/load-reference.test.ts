import { describe, expect, it } from "vitest";
import { resample } from "./resample/resample.ts";
import { readFixture } from "./testing/describe-audio-decoder.ts";
import { noise } from "./testing/describe-audio-encoder.ts";
import { floatBytes, makeWav } from "./testing/made-files.ts";
import { loadReference } from "./load-reference.ts";

describe("loadReference()", () => {
  it("gives the audio at the rate that is asked for, the facts of the file, and the warnings", async () => {
    const pcm = noise(32_000, 3, 0.5);
    const reference = await loadReference(makeWav(floatBytes([...pcm]), { tag: 3, bits: 32 }), 24_000, {
      transcript: "Two seconds of noise and nothing else",
    });
    expect(reference.samples).toEqual(resample(pcm, 16_000, 24_000));
    expect(reference).toMatchObject({
      sampleRateHz: 24_000,
      source: { format: "wav", sampleRateHz: 16_000, channels: 1, durationSeconds: 2 },
      findings: [{ code: "short" }, { code: "noisy" }],
    });
  });

  it("refuses audio that cannot give a voice", async () => {
    await expect(loadReference(readFixture("mp3-stereo-44k.mp3"), 24_000)).rejects.toMatchObject({
      code: "REFERENCE_INVALID",
      message: "Cannot use the reference: it is too short to hold a voice (got 0.15 s, limit 0.4 s)",
    });
    await expect(loadReference(makeWav(new Uint8Array(64_000)), 24_000)).rejects.toMatchObject({
      code: "REFERENCE_INVALID",
      message: "Cannot use the reference: it is silent throughout (peak -inf dB, limit -60 dB RMS)",
    });
  });
});
