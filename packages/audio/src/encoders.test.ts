import { describe, expect, it } from "vitest";
import { AUDIO_FORMATS } from "./audio-encoder.ts";
import { encoderFor, streamEncoderFor } from "./encoders.ts";

describe("encoderFor()", () => {
  it("gives each format an encoder of its own", () => {
    const encoders = AUDIO_FORMATS.map(encoderFor);
    expect(encoders.map(({ format }) => format)).toEqual(AUDIO_FORMATS);
    expect(new Set(encoders.map(({ fileExtension }) => fileExtension)).size).toBe(AUDIO_FORMATS.length);
    expect(new Set(encoders.map(({ mimeType }) => mimeType)).size).toBe(AUDIO_FORMATS.length);
  });

  it.each([...AUDIO_FORMATS, "webm"] as const)("refuses a sample rate that %s does not have", async (format) => {
    const encoder = streamEncoderFor(format);
    expect(encoder.format).toBe(format);
    if (format === "wav" || format === "pcm" || format === "flac") return;
    await expect(encoder.openStream({ sampleRateHz: 11_025, purpose: "live" })).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("got 11025, limit 8000"),
    });
  });
});
