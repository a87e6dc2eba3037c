import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { makeTemporaryFolder } from "../checkpoint/testing/temporary-folder.ts";
import { VoiceLibrary, type NewVoice } from "./voice-library.ts";

const BUNDLED = join(import.meta.dirname, "../../../../demo-checkpoint/voices");

function setUp() {
  const own = join(makeTemporaryFolder(), "volume", "voices");
  const open = () =>
    new VoiceLibrary([
      { path: own, origin: "own" },
      { path: BUNDLED, origin: "bundled" },
    ]);
  return { own, open, library: open() };
}

const voice = (name: string, more: Partial<NewVoice> = {}): NewVoice => ({
  name,
  audio: Buffer.from(`audio of ${name}`),
  extension: ".wav",
  transcript: "What is said.",
  ...more,
});

async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isHiggsError(error)) return error.toString();
    throw error;
  }
  return "";
}

describe("VoiceLibrary", () => {
  it("has the bundled voices, each with transcript, language, source and license", async () => {
    const { voices } = await setUp().library.list();
    expect(voices.map(({ name }) => name)).toEqual(["awb", "kal", "rms", "rms-high", "slt", "slt-low"]);
    for (const { transcript, language, source, license, origin, description } of voices) {
      expect(origin).toBe("bundled");
      expect(transcript).toMatch(/^[A-Z].*\.$/);
      expect([language, source, license, description]).not.toContain(null);
    }
  });

  it("lists the other voices when one has a sidecar or transcript that is too large or not a file, and names it", async () => {
    const { own, library } = setUp();
    for (const name of ["anna", "bert", "carl", "dora"]) await library.add(voice(name));
    writeFileSync(join(own, "anna.json"), Buffer.alloc(100_000, " "));
    writeFileSync(join(own, "bert.txt"), Buffer.alloc(100_000, "a"));
    rmSync(join(own, "carl.json"));
    mkdirSync(join(own, "carl.json"));
    const { voices, broken } = await library.list();
    expect(voices.filter(({ origin }) => origin === "own").map(({ name }) => name)).toEqual(["dora"]);
    expect(broken.map(({ name }) => name)).toEqual(["anna", "bert", "carl"]);
    expect(broken[0]?.reason).toMatch(/too large \(got 100000 bytes, limit 65536, in .*anna\.json\)/);
    expect(broken[2]?.reason).toMatch(/a folder, not a regular file \(got .*carl\.json\)/);
    writeFileSync(join(own, "voices.json"), Buffer.alloc(100_000, " "));
    writeFileSync(join(own, "emil.txt"), "Hi.");
    writeFileSync(join(own, "emil.wav"), "x");
    expect(await library.find("emil")).toMatchObject({ name: "emil", language: null });
  });

  it("lists the other voices when a sidecar is a link to itself, which looks like a fault of the volume", async () => {
    const { own, library } = setUp();
    for (const name of ["anna", "bert"]) await library.add(voice(name));
    rmSync(join(own, "anna.json"));
    symlinkSync("anna.json", join(own, "anna.json"));
    const { voices, broken } = await library.list();
    expect(voices.filter(({ origin }) => origin === "own").map(({ name }) => name)).toEqual(["bert"]);
    expect(broken).toEqual([{ name: "anna", reason: expect.stringMatching(/links lead in a circle.*anna\.json/) }]);
  });

  it("says which path is in the way when a folder has the name of a voice's file", async () => {
    const { own, library } = setUp();
    mkdirSync(join(own, "anna.wav"), { recursive: true });
    const said = /VOLUME_UNAVAILABLE: .*the path is a folder \(got .*anna\.wav\)/;
    expect(await failureOf(library.add(voice("anna")))).toMatch(said);
    writeFileSync(join(own, "anna.txt"), "What is said.");
    expect(await failureOf(library.remove("anna"))).toMatch(said);
  });

  it("refuses a voice whose audio is a pipe or a link to a device, at once", async () => {
    const { own, library } = setUp();
    for (const name of ["anna", "bert"]) {
      await library.add(voice(name));
      rmSync(join(own, `${name}.wav`));
    }
    execFileSync("mkfifo", [join(own, "anna.wav")]);
    symlinkSync("/dev/zero", join(own, "bert.wav"));
    expect(await failureOf(library.load("anna"))).toMatch(/^REFERENCE_INVALID: Cannot read the voice: it is a pipe/);
    expect(await failureOf(library.load("bert"))).toMatch(/^REFERENCE_INVALID: Cannot read the voice: it is a device/);
  });

  it("keeps the folder's own voices.json, no matter what is added or removed", async () => {
    const { own, library } = setUp();
    mkdirSync(own, { recursive: true });
    const text = JSON.stringify({ voices: { language: "en" } });
    writeFileSync(join(own, "voices.json"), text);
    for (const name of ["voices", "Voices"]) {
      expect(await failureOf(library.add(voice(name)))).toMatch(/^INVALID_INPUT: .*the folder's own file voices\.json/);
    }
    writeFileSync(join(own, "voices.wav"), "x");
    writeFileSync(join(own, "voices.txt"), "What is said.");
    expect(await library.find("voices")).toMatchObject({ language: "en" });
    expect(await library.remove("voices")).toBe(true);
    expect(readdirSync(own)).toEqual(["voices.json"]);
    expect(readFileSync(join(own, "voices.json"), "utf8")).toBe(text);
  });

  it("reads the license of a voice under either spelling", async () => {
    const { own, library } = setUp();
    mkdirSync(own, { recursive: true });
    for (const [name, sidecar] of Object.entries({ new: { license: "CC0" }, old: { licence: "CC0" } })) {
      writeFileSync(join(own, `${name}.wav`), "x");
      writeFileSync(join(own, `${name}.txt`), "What is said.");
      writeFileSync(join(own, `${name}.json`), JSON.stringify(sidecar));
      expect(await library.find(name)).toMatchObject({ license: "CC0" });
    }
  });

  it("removes what a killed voices add left", async () => {
    const { own, library } = setUp();
    mkdirSync(own, { recursive: true });
    for (const name of [".anna.wav", "anna.json"]) {
      writeFileSync(join(own, `${name}.3d2b5a54-3c3e-4f7e-9d0b-2f0a0f0c0d0e.partial`), "x");
    }
    await library.add(voice("bert"));
    expect(readdirSync(own).sort()).toEqual(["bert.json", "bert.txt", "bert.wav"]);
  });

  it("adds, finds, loads and removes a voice, and leaves no other file", async () => {
    const { own, library } = setUp();
    const added = await library.add(voice("anna", { language: "en", consent: "she signed", transcript: " Hello. \n" }));
    expect(added).toMatchObject({
      name: "anna",
      origin: "own",
      transcript: "Hello.",
      consent: "she signed",
      license: null,
    });
    expect(readdirSync(own).sort()).toEqual(["anna.json", "anna.txt", "anna.wav"]);
    expect(await library.load("anna")).toMatchObject({ ...added, audio: Buffer.from("audio of anna") });
    expect(await library.names()).toContain("anna");
    expect(await library.remove("anna")).toBe(true);
    expect(await library.find("anna")).toBeNull();
    expect(await library.remove("anna")).toBe(false);
    expect(readdirSync(own)).toEqual([]);
  });

  it("an own voice hides the bundled one of its name; a bundled one cannot be removed", async () => {
    const { library } = setUp();
    await library.add(voice("slt"));
    expect(await library.find("slt")).toMatchObject({ origin: "own" });
    await library.remove("slt");
    expect(await library.find("slt")).toMatchObject({ origin: "bundled" });
    expect(await failureOf(library.remove("slt"))).toContain("INVALID_INPUT: Cannot remove the voice");
  });

  it.each([
    ["../evil"],
    ["..\\evil"],
    ["/etc/passwd"],
    ["a/b"],
    ["."],
    [".."],
    [".hidden"],
    ["a.wav"],
    ["a,b"],
    ["profile:x"],
    ["nul\0l"],
    ["con"],
    ["LPT1"],
    ["%2e%2e%2f"],
    ["a b"],
    ["－／"],
    [""],
    ["   "],
    ["x".repeat(65)],
    ["\u202eevil"],
    ["file:///etc/passwd"],
  ])("takes %j for no name", async (name) => {
    const { own, library } = setUp();
    expect(await failureOf(library.add(voice(name)))).toMatch(/^INVALID_INPUT: Cannot add the voice: /);
    expect(await library.find(name)).toBeNull();
    expect(await library.load(name)).toBeNull();
    expect(await library.remove(name)).toBe(false);
    expect(() => readdirSync(own)).toThrow("ENOENT");
  });

  it("takes names of every script, one spelling for those that look the same", async () => {
    const { library } = setUp();
    await library.add(voice("rene\u0301"));
    await library.add(voice("张伟"));
    expect(await library.find("ren\u00e9")).toMatchObject({ name: "ren\u00e9" });
    expect(await library.find("张伟")).not.toBeNull();
    expect(await failureOf(library.add(voice("REN\u00c9")))).toContain("exists already");
  });

  it.each<[string, Partial<NewVoice>]>([
    ["an empty transcript", { transcript: " \n" }],
    ["another file type", { extension: ".exe" }],
    ["no audio", { audio: new Uint8Array(0) }],
    ["too much audio", { audio: new Uint8Array(33 * 1024 * 1024) }],
  ])("refuses %s", async (_name, wrong) => {
    expect(await failureOf(setUp().library.add(voice("anna", wrong)))).toMatch(
      /^INVALID_INPUT: Cannot add the voice: /,
    );
  });

  it("of many writers of one name one wins, and its files belong together", async () => {
    const { own, open } = setUp();
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        failureOf(open().add(voice("anna", { audio: Buffer.from(`audio ${index}`), transcript: `Text ${index}.` }))),
      ),
    );
    expect(results.filter((failure) => failure === "")).toHaveLength(1);
    const winner = results.indexOf("");
    expect(await open().load("anna")).toMatchObject({
      transcript: `Text ${winner}.`,
      audio: Buffer.from(`audio ${winner}`),
    });
    expect(readdirSync(own)).toHaveLength(3);
  });

  it("readers never see half a voice while it is added and removed", async () => {
    const { open } = setUp();
    const state = { isWriting: true, seen: 0 };
    const writing = (async () => {
      const writer = open();
      for (let round = 0; round < 30; round++) {
        await writer.add(voice("anna", { audio: Buffer.from(`${round}`), transcript: `${round}.` }));
        await writer.remove("anna");
      }
      state.isWriting = false;
    })();
    const reader = open();
    const mixed: unknown[] = [];
    while (state.isWriting) {
      const loaded = await reader.load("anna");
      if (loaded !== null) state.seen += 1;
      if (loaded !== null && `${Buffer.from(loaded.audio).toString()}.` !== loaded.transcript) mixed.push(loaded);
    }
    await writing;
    expect(mixed).toEqual([]);
    expect(state.seen).toBeGreaterThan(0);
  });

  it("what a killed writer left is not a voice and not an obstacle", async () => {
    const { own, library } = setUp();
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, "anna.flac"), "half");
    writeFileSync(join(own, "anna.json"), "{");
    expect(await library.find("anna")).toBeNull();
    await library.add(voice("anna"));
    expect(readdirSync(own).sort()).toEqual(["anna.json", "anna.txt", "anna.wav"]);
  });

  it("plain files that a person put there are a voice; audio that was changed later is told", async () => {
    const { own, library } = setUp();
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, "bob.mp3"), "audio");
    writeFileSync(join(own, "bob.txt"), "\uFEFFHi there.\r\n");
    expect(await library.load("bob")).toMatchObject({ transcript: "Hi there.", language: null });
    await library.add(voice("anna"));
    writeFileSync(join(own, "anna.wav"), "other");
    expect(await failureOf(library.load("anna"))).toMatch(/^REFERENCE_INVALID: /);
  });

  it.each([
    ["an extension in capitals", "bob", "bob.WAV", "bob.txt"],
    ["a name in Unicode's decomposed form", "zoë", "zoe\u0308.wav", "zoe\u0308.txt"],
  ])("a voice with %s can be removed, and added again with other audio", async (_case, name, audio, transcript) => {
    const { own, library } = setUp();
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, audio), "audio");
    writeFileSync(join(own, transcript), "Hi there.");
    writeFileSync(join(own, "bobby.wav"), "of another");
    expect(await library.remove(name)).toBe(true);
    expect(readdirSync(own)).toEqual(["bobby.wav"]);
    await library.add(voice(name, { audio: Buffer.from("other audio") }));
    expect((await library.load(name))?.audio).toEqual(Buffer.from("other audio"));
  });

  it("a folder that cannot be written is a clear error", async () => {
    const blocked = join(makeTemporaryFolder(), "file");
    writeFileSync(blocked, "");
    const library = new VoiceLibrary([{ path: join(blocked, "voices"), origin: "own" }]);
    expect(await failureOf(library.add(voice("anna")))).toMatch(/^VOLUME_UNAVAILABLE: /);
    expect(await library.list()).toEqual({ voices: [], broken: [] });
  });
});
