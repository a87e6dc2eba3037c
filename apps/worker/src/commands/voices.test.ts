import { copyFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../program.ts";
import { fakeIo } from "../testing/fake-io.ts";
import { scratchDir } from "../testing/scratch.ts";

const SLT = join(import.meta.dirname, "../../../../demo-checkpoint/voices/slt.wav");

function setUp() {
  const dir = scratchDir();
  const voicesDir = join(dir, "voices");
  copyFileSync(SLT, join(dir, "anna.wav"));
  const run = async (...argv: string[]) => {
    const io = fakeIo({ env: { HIGGS_VOICES_DIR: voicesDir, HIGGS_VOLUME_DIR: "/nowhere" }, workingDirectory: dir });
    const code = await runProgram(["voices", ...argv], io);
    return { code, out: io.out(), err: io.err() };
  };
  return { dir, voicesDir, run };
}

const ADD = ["add", "anna", "--audio", "anna.wav", "--transcript", "The old man walked slowly across the street."];

describe("higgs voices", () => {
  it("lists the bundled voices as a table and as JSON", async () => {
    const { run } = setUp();
    const { code, out } = await run("list");
    expect(code).toBe(0);
    expect(out).toMatch(/^slt +bundled +en +female, American accent/m);
    const { voices } = JSON.parse((await run("list", "--json")).out) as { voices: { name: string }[] };
    expect(voices.map(({ name }) => name)).toEqual(["awb", "kal", "rms", "rms-high", "slt", "slt-low"]);
  });

  it("adds a voice, shows it, and removes it", async () => {
    const { voicesDir, run } = setUp();
    const added = await run(...ADD, "--language", "en", "--consent", "she signed", "--json");
    expect(added.code).toBe(0);
    expect(JSON.parse(added.out)).toMatchObject({
      voice: { name: "anna", consent: "she signed" },
      durationSeconds: 3.44,
    });
    expect(JSON.parse((await run("show", "anna", "--json")).out)).toMatchObject({ language: "en", origin: "own" });
    expect((await run("show", "anna")).out).toMatch(/^consent +she signed$/m);
    expect((await run("remove", "anna")).out).toBe("removed anna\n");
    expect(readdirSync(voicesDir)).toEqual([]);
    const gone = await run("show", "anna");
    expect(gone.code).toBe(1);
    expect(gone.err).toMatch(/^VOICE_NOT_FOUND: /);
  });

  it.each<[string, string[], RegExp, number]>([
    ["no audio", ["add", "x", "--audio", "x.wav", "--transcript", "Hi."], /^REFERENCE_INVALID: .*an HTML page/, 1],
    [
      "a file that is not there",
      ["add", "x", "--audio", "y.wav", "--transcript", "Hi."],
      /^INVALID_INPUT: .*no such file/,
      2,
    ],
    ["a bad name", ["add", "../x", "--audio", "anna.wav", "--transcript", "Hi."], /^INVALID_INPUT: /, 2],
    ["a bundled voice to remove", ["remove", "slt"], /^INVALID_INPUT: /, 2],
    ["a near name", ["show", "sltt"], /did you mean slt\?/, 1],
    ["an import without --accept", ["import-upstream"], /real people[\s\S]*INVALID_INPUT: .*--accept/, 2],
  ])("refuses %s and writes nothing", async (_name, argv, message, code) => {
    const { dir, voicesDir, run } = setUp();
    writeFileSync(join(dir, "x.wav"), "<!doctype html><html></html>");
    const result = await run(...argv);
    expect(result.err).toMatch(message);
    expect(result.code).toBe(code);
    expect(() => readdirSync(voicesDir)).toThrow("ENOENT");
  });

  it("does not add a name twice", async () => {
    const { run } = setUp();
    await run(...ADD);
    expect((await run(...ADD)).err).toMatch(/^INVALID_INPUT: .*remove it first/m);
  });

  it("says where an import cannot be had from", async () => {
    const { err, code } = await setUp().run("import-upstream", "--accept", "--base-url", "http://127.0.0.1:1/x");
    expect(code).toBe(1);
    expect(err).toMatch(/VOLUME_UNAVAILABLE: Cannot download the file: /);
  });
});
