import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findProfile } from "@higgs-worker/higgs-audio";
import { describe, expect, it } from "vitest";
import { withGeneratedPart } from "./generated-part.ts";

const document = readFileSync(join(import.meta.dirname, "../../docs/JOB.md"), "utf8");

describe("docs/JOB.md", () => {
  it("names profiles that exist", () => {
    for (const name of ["male_en", "female_en_story", "male_en_british", "female_en_british"]) {
      expect(document).toContain(`\`${name}\``);
      expect(findProfile(name).kind).toBe("profile");
    }
  });
});

describe("withGeneratedPart()", () => {
  it("replaces what is between the markers, and only that", () => {
    const begin = "<!-- Generated from a.ts by b; do not edit this part. -->";
    const end = "<!-- End of the generated part. -->";
    expect(withGeneratedPart(`# A\n${begin}\nold\n${end}\nB\n`, "new")).toBe(`# A\n${begin}\nnew\n\n${end}\nB\n`);
  });

  it("fails on a document without them, instead of leaving it unchecked", () => {
    expect(() => withGeneratedPart("# A\n", "new")).toThrow("markers are missing");
  });
});
