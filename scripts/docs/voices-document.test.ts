import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VoiceLibrary } from "@higgs-worker/higgs-audio";
import { expect, it } from "vitest";
import { runProgram } from "../../apps/worker/src/program.ts";
import { REFERENCE_LIMITS } from "../../apps/worker/src/references/prepare-references.ts";
import { fakeIo } from "../../apps/worker/src/testing/fake-io.ts";

const root = join(import.meta.dirname, "../..");
const document = readFileSync(join(root, "docs/VOICES.md"), "utf8");
const jobDocument = readFileSync(join(root, "docs/JOB.md"), "utf8");

it("docs/VOICES.md has the bundled voices, all of them and no other", async () => {
  const table = document.split("## Bundled voices")[1]?.split("\n## ")[0] ?? "";
  const named = [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  const voices = new VoiceLibrary([{ path: join(root, "demo-checkpoint/voices"), origin: "bundled" }]);
  expect(named.toSorted()).toEqual(await voices.names());
});

it("docs/VOICES.md shows commands that exist", async () => {
  const commands = [...document.matchAll(/^higgs voices ([\w-]+)/gm), ...document.matchAll(/`higgs voices ([\w-]+)/g)];
  expect(commands.length).toBeGreaterThan(4);
  for (const [, name = ""] of commands) {
    const io = fakeIo();
    expect(await runProgram(["voices", name, "--help"], io)).toBe(0);
    expect(io.out()).toContain(`higgs voices ${name}`);
  }
});

it("docs/JOB.md says the limits that are", () => {
  const { maxReferences, maxBytes, timeoutMs, maxRedirects } = REFERENCE_LIMITS;
  expect([maxReferences, maxBytes, timeoutMs, maxRedirects]).toEqual([16, 32 * 1024 * 1024, 20_000, 3]);
  for (const limit of ["Up to 16", "up to 32 MB and 120 s", "within 20 s and three redirects"]) {
    expect(jobDocument).toContain(limit);
  }
  expect(existsSync(join(root, "docs/VOICES.md"))).toBe(true);
});
