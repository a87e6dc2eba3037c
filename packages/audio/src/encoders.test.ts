import { describe, expect, it } from "vitest";
import { AUDIO_FORMATS } from "./audio-encoder.ts";
import { encoderFor, WRITABLE_FORMATS } from "./encoders.ts";

describe("encoderFor()", () => {
  it("gives each writable format an encoder of its own", () => {
    expect(WRITABLE_FORMATS).toEqual(["wav", "pcm"]);
    const encoders = WRITABLE_FORMATS.map(encoderFor);
    expect(encoders.map(({ format }) => format)).toEqual(WRITABLE_FORMATS);
    expect(new Set(encoders.map(({ fileExtension }) => fileExtension)).size).toBe(WRITABLE_FORMATS.length);
    expect(new Set(encoders.map(({ mimeType }) => mimeType)).size).toBe(WRITABLE_FORMATS.length);
  });

  it.each(AUDIO_FORMATS.filter((format) => !WRITABLE_FORMATS.includes(format)))(
    "says what it writes for %s",
    (format) => {
      expect(() => encoderFor(format)).toThrow(
        expect.objectContaining({ code: "NOT_SUPPORTED", message: expect.stringContaining("supported: wav, pcm") }),
      );
    },
  );
});
