import { describe, expect, it } from "vitest";
import { refuseControlStrings } from "../text/control-strings.ts";
import { listScenePresets, resolveScene } from "./scenes.ts";

describe("resolveScene", () => {
  it("gives the text of a preset", async () => {
    expect(await resolveScene("quiet_indoor")).toEqual({
      text: "Audio is recorded from a quiet room.",
      preset: "quiet_indoor",
    });
  });

  it.each([null, "", "  \n", "empty", " empty "])("%j means no scene", async (value) => {
    expect(await resolveScene(value)).toEqual({ text: null, preset: null });
  });

  it.each([
    "A large hall.",
    "quiet",
    "QUIET_INDOOR",
    "../scenes/quiet_indoor",
    "quiet_indoor.txt",
    "quiet_indoor\u0000",
  ])("%j is literal text", async (value) => {
    expect(await resolveScene(` ${value}\n`)).toEqual({ text: value, preset: null });
  });

  it("has presets that are clean text", async () => {
    const names = await listScenePresets();
    expect(names).toContain("quiet_indoor");
    expect(names.length).toBeGreaterThanOrEqual(6);
    for (const name of names) {
      const { text } = await resolveScene(name);
      expect(text).toMatch(/^[A-Z][^\n]{20,300}\.$/u);
      expect(() => refuseControlStrings(text ?? "", { field: name })).not.toThrow();
    }
  });
});
