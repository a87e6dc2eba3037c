import { describe, expect, it } from "vitest";
import { resample } from "../resample/resample.ts";
import { readFixture } from "../testing/describe-audio-decoder.ts";
import { noise } from "../testing/describe-audio-encoder.ts";
import { ascii, floatBytes, makeWav } from "../testing/made-files.ts";
import { decodeAndResample, decodeAudio } from "./decode-audio.ts";
import { decodeHere } from "./decode-here.ts";
import { DEFAULT_DECODE_LIMITS } from "../decoder/limits.ts";

/** Noise of a minute: resampling it takes long enough to be seen. */
const minute = makeWav(floatBytes([...noise(16_000 * 60, 3, 0.5)]), { tag: 3, bits: 32 });

describe("decodeAudio()", () => {
  it("gives what decoding in the same thread gives, and leaves the bytes alone", async () => {
    const bytes = readFixture("ogg-opus-stereo.opus");
    const copy = bytes.slice();
    expect(await decodeAudio(bytes)).toEqual(await decodeHere(bytes, DEFAULT_DECODE_LIMITS));
    expect(bytes).toEqual(copy);
  });

  it("passes the code and the message of a refusal on", async () => {
    await expect(decodeAudio(ascii("<html></html>"))).rejects.toMatchObject({
      name: "HiggsError",
      code: "REFERENCE_INVALID",
      message: expect.stringMatching(/^Cannot read the audio: it is not supported audio \(got an HTML page/),
    });
  });

  it("holds the size and the duration to the given limits", async () => {
    await expect(decodeAudio(minute, { maxBytes: 1_000 })).rejects.toMatchObject({
      code: "REFERENCE_INVALID",
      message: `Cannot read the audio: it is too large (got ${minute.length} bytes, limit 1000)`,
    });
    await expect(decodeAudio(minute, { maxDurationSeconds: 59 })).rejects.toMatchObject({
      message: "Cannot read the audio: it is too long (got more than 60 s, limit 59 s)",
    });
  });

  it("ends a thread that never would: one wrong size in WebM makes the container library loop for ever", async () => {
    const endless = readFixture("webm-vorbis-stereo-44k.webm").slice();
    endless[40] = 136;
    await expect(decodeAudio(endless, { timeoutMs: 3_000 })).rejects.toMatchObject({
      code: "REFERENCE_INVALID",
      message: "Cannot read the audio: decoding took too long (limit 3000 ms)",
    });
  });

  it("can be cancelled, before and while it works", async () => {
    const controller = new AbortController();
    const pending = decodeAudio(minute, { signal: controller.signal });
    controller.abort();
    await expect(pending).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(decodeAudio(minute, { signal: controller.signal })).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("decodeAndResample()", () => {
  it("resamples in its thread, while the event loop goes on", async () => {
    let turns = 0;
    const turn = () => {
      turns += 1;
      counting = setImmediate(turn);
    };
    let counting = setImmediate(turn);
    const { audio, resampled } = await decodeAndResample(minute, 24_000);
    clearImmediate(counting);
    // Work in this thread would leave it a handful of turns, however slow the machine is.
    expect(turns).toBeGreaterThan(50);
    expect(audio.samples).toHaveLength(16_000 * 60);
    expect(resampled.subarray(0, 24_000)).toEqual(
      resample(audio.samples.subarray(0, 17_000), 16_000, 24_000).subarray(0, 24_000),
    );
  });
});
