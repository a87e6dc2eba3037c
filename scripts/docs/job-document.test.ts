import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inputEntries } from "../../apps/worker/src/job/input-fields.ts";
import { findProfile } from "@higgs-worker/higgs-audio";

const document = readFileSync(join(import.meta.dirname, "../../docs/JOB.md"), "utf8");

describe("docs/JOB.md", () => {
  it.each(Object.keys(inputEntries({ contextLength: 8192 })))("names the field %s", (field) => {
    expect(document).toMatch(new RegExp(`^\\| .*\`${field}\``, "m"));
  });

  it("names no field that does not exist", () => {
    const rows = document.split("## Output")[0]?.match(/^\| (`\w+`(, )?)+/gm) ?? [];
    const named = rows.flatMap((row) => row.match(/\w+/g) ?? []);
    expect(named.toSorted()).toEqual(Object.keys(inputEntries({ contextLength: 8192 })).toSorted());
  });

  it("names profiles that exist", () => {
    for (const name of ["male_en", "female_en_story", "male_en_british", "female_en_british"]) {
      expect(document).toContain(`\`${name}\``);
      expect(findProfile(name).kind).toBe("profile");
    }
  });
});
