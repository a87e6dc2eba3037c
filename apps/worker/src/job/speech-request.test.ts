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

  it("says numbers in words when asked to, in the language of the job or of the text", async () => {
    const spoken = async (fields: object) =>
      (await prepare({ transcript: "Es kostet 21 €.", ...fields })).request.transcript;
    expect(await spoken({})).toBe("Es kostet 21 €.");
    expect(await spoken({ spell_out: true })).toBe("Es kostet einundzwanzig Euro.");
    expect(await spoken({ spell_out: true, language: "FR" })).toBe("Es kostet vingt-et-un euros.");
    expect(await spoken({ spell_out: true, normalize: false })).toBe("Es kostet einundzwanzig Euro.");
  });

  it("reads dialogue before numbers, each turn in its language", async () => {
    const { request } = await prepare({
      transcript:
        "SPEAKER0: We have been waiting here for 25 minutes. [speaker1] Wir warten hier schon seit 25 Minuten.",
      spell_out: true,
    });
    expect(request.transcript).toBe(
      "[SPEAKER0] We have been waiting here for twenty-five minutes.\n[SPEAKER1] Wir warten hier schon seit fünfundzwanzig Minuten.",
    );
  });

  it("warns of what it cannot say, without the text", async () => {
    const { warnings } = await prepare({ transcript: "Kosztuje 15.", spell_out: true, language: "pl" });
    expect(warnings).toEqual([expect.stringContaining("the language pl")]);
  });
});
