import { describe, expect, it } from "vitest";
import { openVoiceLibrary } from "../../references/voices.ts";
import { loadConfig } from "../../config/load.ts";
import { scratchDir } from "../../testing/scratch.ts";
import { OpenAiVoices } from "./voice-table.ts";

function voices(table: Readonly<Record<string, string | null>>, isDemo = true): OpenAiVoices {
  const folder = scratchDir();
  const { config } = loadConfig({ HIGGS_VOICES_DIR: folder, HOME: folder }, {});
  return new OpenAiVoices({ library: openVoiceLibrary(config), table, isDemo: () => isDemo });
}

describe("the voice of a request", () => {
  it.each([
    ["alloy", "slt"],
    ["rms", "rms"],
    ["alloy, onyx", "slt,rms"],
    ["mine,echo", "awb,kal"],
    ["nobody-in-particular", null],
    ["profile:male_en", "profile:male_en"],
    ["https://example.com/a,b.wav", "https://example.com/a,b.wav"],
  ])("%s is %s", async (name, reference) => {
    const table = { mine: "awb", "nobody-in-particular": null };
    expect(await voices(table).referenceOf(name)).toBe(reference);
  });

  it("is refused when one of the names in a list is unknown", async () => {
    await expect(voices({}).referenceOf("alloy,nobody")).rejects.toMatchObject({ code: "VOICE_NOT_FOUND" });
  });
});
