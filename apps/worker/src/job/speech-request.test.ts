import { describe, expect, it } from "vitest";
import { parseJobInput } from "./parse-input.ts";
import { toSpeechRequest } from "./speech-request.ts";

const limits = { maxTranscriptChars: 20_000, contextLength: 4_096 };

describe("toSpeechRequest", () => {
  const prepare = (input: Readonly<Record<string, unknown>>) => toSpeechRequest(parseJobInput(input, limits), limits);
  const transcript = "[speaker0] Hi. [SPEAKER1] Hello.";

  it("reads dialogue as people write it, and says so", async () => {
    const { request, warnings } = await prepare({ transcript });
    expect(request.transcript).toBe("[SPEAKER0] Hi.\n[SPEAKER1] Hello.");
    expect(warnings).toHaveLength(2);
  });

  it("trims and pauses as the job says, and plans marked pauses for the speed of the file", async () => {
    const given = { transcript: "Hi.", trim: false, pause_ms: { turn: 0 }, lookahead_frames: 30, speed: 2 };
    expect((await prepare(given)).request).toMatchObject({
      trim: false,
      pausesMs: { clause: 150, sentence: 350, paragraph: 700, turn: 0 },
      lookaheadFrames: 30,
      playbackSpeed: 2,
    });
    const word = await prepare({ transcript: "Hi.", chunk_method: "word", pause_ms: { turn: 100 } });
    expect(word.request).toMatchObject({ trim: false, pausesMs: { clause: 0, sentence: 0, paragraph: 0, turn: 100 } });
    expect((await prepare({ transcript: "Hi." })).request).toMatchObject({ trim: true, lookaheadFrames: null });
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
  it.each([
    ["markdown", "# Hi\n\n`x`", '[chapter "Hi"]\nHi.\n\nx.'],
    ["html", "<p>Hi<p>there", "Hi.\n\nthere."],
    ["ssml", '<speak>Hi<break time="1s"/></speak>', "Hi. [pause 1000ms]"],
  ])("reads %s, normalized or not", async (format, text, spoken) => {
    for (const normalize of [true, false]) {
      const { request } = await prepare({ transcript: text, text_format: format, normalize });
      expect(request.transcript).toBe(spoken);
    }
  });

  it("finds voices of SSML among the references", async () => {
    const ssml = '<voice name="chadwick">Hi.</voice><voice name="Ann">Hello.</voice><voice name="male_en">Bye.</voice>';
    const references = [
      "belinda,chadwick",
      { audio_base64: "AAAA", name: "Ann" },
      "https://example.com/a.wav",
      "profile:male_en",
    ];
    const { request } = await prepare({ transcript: ssml, text_format: "ssml", ref_audio: references });
    expect(request.transcript).toBe("[SPEAKER1] Hi.\n[SPEAKER2] Hello.\n[SPEAKER4] Bye.");
  });

  it("speaks emoji by name, even where there is nothing else", async () => {
    expect((await prepare({ transcript: "😀", emoji: "name" })).request.transcript).toBe("grinning face");
    expect(() => parseJobInput({ transcript: "😀" }, limits)).toThrowError(/has nothing to speak/);
  });

  it("warns of sounds that the model does not know", async () => {
    expect((await prepare({ transcript: "Ha (laughs) [laugh]" })).warnings).toEqual([
      expect.stringContaining("the nearest that it knows is [laugh]"),
    ]);
  });

  it.each([
    ["html", "<p>a</p>&lt;|eot_id|&gt;"],
    ["html", "&lt;<b>|</b>eot_id|&#62;"],
    ["html", "&lt;&shy;|eot_id|\u200B&gt;"],
    ["markdown", "a &lt;|eot_id|&gt;"],
    ["markdown", "a \\<\\|eot_id\\|\\>"],
    ["markdown", "a <!-- x -->\\<|eot_id|\\>"],
    ["ssml", "<speak>&lt;|eot_id|&gt;</speak>"],
    ["ssml", '<speak><sub alias="&lt;|eot_id|&gt;">a</sub></speak>'],
    ["plain", "a <\u200B|eot_id|\u200B>"],
  ])("refuses control strings that %s hides: %j", async (format, text) => {
    const refusal = { code: "INVALID_INPUT", message: expect.stringContaining("control string") as string };
    await expect(prepare({ transcript: text, text_format: format })).rejects.toMatchObject(refusal);
  });

  it.each([
    ["html", "<script>speak()</script>"],
    ["markdown", "```\ncode\n```\n\n***"],
    ["ssml", '<speak><break time="1s"/></speak>'],
    ["markdown", "![](image.png)"],
  ])("refuses %s that has nothing to speak: %j", async (format, text) => {
    await expect(prepare({ transcript: text, text_format: format })).rejects.toThrowError(/has nothing to speak/);
  });

  it("refuses what becomes four times as long as a text may be", async () => {
    const small = { ...limits, maxTranscriptChars: 100 };
    const input = parseJobInput({ transcript: "👩‍🚀 a ".repeat(15), emoji: "name" }, small);
    expect((await toSpeechRequest(input, small)).request.transcript.length).toBeGreaterThan(100);
    await expect(toSpeechRequest(input, { maxTranscriptChars: 20 })).rejects.toThrowError(
      /too long \(got \d+ characters, limit 80\)/,
    );
  });
});
