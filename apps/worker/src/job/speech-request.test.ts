import { describe, expect, it } from "vitest";
import { parseJobInput } from "./parse-input.ts";
import { toSpeechRequest } from "./speech-request.ts";

const limits = { maxTranscriptChars: 20_000, contextLength: 4_096 };

describe("toSpeechRequest", () => {
  const prepare = (input: Readonly<Record<string, unknown>>) => toSpeechRequest(parseJobInput(input, limits));
  const transcript = "[speaker0] Hi. [SPEAKER1] Hello.";

  it("reads dialogue as people write it, and says so", async () => {
    const { request, warnings } = await prepare({ transcript });
    expect(request.transcript).toBe("[SPEAKER0] Hi.\n[SPEAKER1] Hello.");
    expect(warnings).toHaveLength(2);
  });

  it.each([{ text_format: "raw" }, { normalize: false }])(
    "leaves the text to the model's own rules with %j",
    async (fields) => {
      const { request, warnings } = await prepare({ transcript, ...fields });
      expect(request.transcript).toBe(transcript);
      expect(warnings).toEqual([]);
    },
  );
});
