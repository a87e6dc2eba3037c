import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { VoiceLibrary } from "@higgs-worker/higgs-audio";
import { describe, expect, it, onTestFinished } from "vitest";
import { ClipCache } from "./clip-cache.ts";
import { prepareReferences, type ReferenceServices } from "./prepare-references.ts";
import type { RefAudio } from "./ref-audio.ts";
import { failureOf } from "../testing/failure-of.ts";

const VOICES = join(import.meta.dirname, "../../../../demo-checkpoint/voices");
const file = readFileSync(join(VOICES, "slt.wav"));
const transcript = readFileSync(join(VOICES, "slt.txt"), "utf8").trim();

function services(more: Partial<ReferenceServices> = {}): ReferenceServices {
  return {
    voices: new VoiceLibrary([{ path: VOICES, origin: "bundled" }]),
    clips: new ClipCache(64e6),
    contextLength: 2048,
    fetch: { allowLoopback: true },
    ...more,
  };
}

const prepare = (refAudio: RefAudio, more: Partial<ReferenceServices> = {}, inSystemMessage = false) =>
  prepareReferences(refAudio, services(more), { inSystemMessage });

async function serveVoice(): Promise<string> {
  const server = createServer((_, response) => response.end(file));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/slt.wav`;
}

describe("prepareReferences()", () => {
  it("gives the same samples and words by name, address, data and base64", async () => {
    const base64 = file.toString("base64");
    const url = await serveVoice();
    const all = await prepare([
      "slt",
      { url, transcript },
      { audio_base64: base64, transcript, name: "mine" },
      { url: `data:audio/wav;base64,${base64}`, transcript },
    ]);
    expect(all.warnings).toEqual([]);
    expect(all.voiceClone).toBe("slt,clip,mine,clip");
    const [first] = all.references;
    expect(first).toMatchObject({ kind: "clip", transcript });
    for (const other of all.references) expect(other).toEqual(first);
  });

  it("gives clips in order and leaves described voices as they are", async () => {
    const prepared = await prepare("awb,profile:male_en,kal");
    const seconds = prepared.references.map((reference) =>
      reference.kind === "clip" ? reference.samples.length / 24_000 : reference.name,
    );
    expect(seconds).toEqual([expect.closeTo(3.72, 1), "male_en", expect.closeTo(3.32, 1)]);
    expect(prepared.voiceClone).toBe("awb,profile:male_en,kal");
  });

  it("names the voice that was probably meant", async () => {
    expect(await failureOf(prepare("slt,rsm"))).toBe(
      "VOICE_NOT_FOUND: Cannot use ref_audio: no voice has this name, did you mean rms?",
    );
    expect(await failureOf(prepare(["slt", "zzzzzzzz"]))).toContain(
      "ref_audio[1]: no voice has this name (known: awb, ",
    );
    expect(await failureOf(prepare("../../etc/passwd"))).toMatch(/^VOICE_NOT_FOUND: [^/]*$/);
    expect(await failureOf(prepare("profile:nobody"))).toMatch(/^VOICE_NOT_FOUND/);
  });

  it("looks names up before it reads an address", async () => {
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return [];
    };
    const failure = await failureOf(prepare(["https://example.test/a.wav", "nobody"], { fetch: { resolve } }));
    expect(failure).toMatch(/^VOICE_NOT_FOUND/);
    expect(asked).toBe(0);
  });

  it("decodes a file once", async () => {
    const clips = new ClipCache(64e6);
    const [first] = (await prepare("slt", { clips })).references;
    const [second] = (await prepare({ audio_base64: file.toString("base64"), transcript }, { clips })).references;
    if (first?.kind !== "clip" || second?.kind !== "clip") throw new Error("not clips");
    expect(second.samples).toBe(first.samples);
  });

  it("refuses references that fill the context before anything is encoded", async () => {
    expect(await failureOf(prepare("slt,rms,awb", { contextLength: 256 }))).toMatch(
      /^REFERENCE_INVALID: .*\(got 308 positions, limit 255\)/,
    );
  });

  it("warns of a missing transcript where it is used", async () => {
    const clip = { audio_base64: file.toString("base64") };
    expect((await prepare(clip)).warnings).toEqual([expect.stringContaining("ref_audio has no transcript")]);
    expect((await prepare(clip, {}, true)).warnings).toEqual([]);
    expect((await prepare([clip, "profile:male_en"])).warnings).toEqual([]);
  });

  it("says what makes a clip a doubtful reference", async () => {
    const clip = { audio_base64: file.toString("base64"), transcript: "No.", name: "mine" };
    const { warnings } = await prepare([clip, "rms-high"]);
    expect(warnings).toEqual([
      expect.stringMatching(/^ref_audio\[0\] \(mine\): The transcript is too short .*\. Give all words/),
      expect.stringMatching(/^ref_audio\[1\] \(rms-high\): The reference is short \(got 2\.9 s/),
    ]);
  });

  it("without references there is nothing to do", async () => {
    for (const nothing of [null, "", []]) {
      expect(await prepare(nothing)).toEqual({ references: [], warnings: [], voiceClone: null });
    }
  });
});
