import { describe, expect, it, vi } from "vitest";
import { loadConfig } from "../config/load.ts";
import type { JobInput } from "./job-fields.ts";
import { parseJobInput } from "./parse-input.ts";
import { encodeBase64, refuseForeseeablyLarge, ResultSizeWatch } from "./result-size.ts";

const TOO_LARGE = expect.objectContaining({ code: "RESULT_TOO_LARGE" });

function inputOf(fields: Partial<JobInput>): JobInput {
  return parseJobInput({ transcript: "Hello.", ...fields }, loadConfig({}).config);
}

describe("a result that carries its audio", () => {
  it("is checked by its real size", () => {
    expect(encodeBase64(Uint8Array.of(1, 2, 3, 4), 20_000)).toBe("AQIDBA==");
    expect(() => encodeBase64(new Uint8Array(10_000), 20_000)).toThrow(TOO_LARGE);
  });

  it("counts the pauses that the text asks for, and how fast it is spoken", () => {
    // 60 s at 24 kHz are 2.9 MB, as base64 3.8 MB.
    const transcript = "Hello. [pause 60s] Hello.";
    const refuse = (fields: Partial<JobInput>) => () => refuseForeseeablyLarge(inputOf({ transcript, ...fields }), 3e6);
    expect(refuse({})).toThrow(TOO_LARGE);
    expect(refuse({ speed: 2 })).not.toThrow();
    expect(refuse({ output_format: "mp3" })).not.toThrow();
    expect(refuse({ transcript: "Hello. [pause 30s] Hello." })).not.toThrow();
  });

  it("is given up as soon as the audio that was made cannot fit", () => {
    const onTooLarge = vi.fn<() => void>();
    const watch = new ResultSizeWatch(inputOf({}), 10e6, onTooLarge);
    // 173.5 s of finished chunks are too much; the chunk that is spoken may be taken back.
    watch.advance({ audioSeconds: 250, frames: 80 * 25 });
    expect(onTooLarge).not.toHaveBeenCalled();
    watch.throwFailure();
    watch.advance({ audioSeconds: 175, frames: 25 });
    watch.advance({ audioSeconds: 210, frames: 25 });
    expect(onTooLarge).toHaveBeenCalledTimes(1);
    expect(() => watch.throwFailure()).toThrow(TOO_LARGE);
  });
});
