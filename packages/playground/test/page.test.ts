import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { clockText, peaksOf } from "../page/peaks.ts";
import { snippetOf } from "../page/snippets.ts";
import { type FormState, requestOf } from "../page/speech-request.ts";

const FORM: FormState = {
  mode: "text",
  text: "The sun is warm.",
  lines: [],
  voice: "slt",
  clip: null,
  scene: "",
  format: "mp3",
  seed: 7,
  temperature: null,
  speed: 1,
  spellsOut: false,
  textFormat: "plain",
};

describe("the request of the form", () => {
  it("names the voice and leaves out what stands at its default", () => {
    expect(requestOf(FORM)).toEqual({
      model: "higgs-audio-v2",
      input: "The sun is warm.",
      voice: "slt",
      response_format: "mp3",
      seed: 7,
    });
  });

  it("names the format of a text, but not of a dialogue", () => {
    expect(requestOf({ ...FORM, textFormat: "markdown" })).toMatchObject({ text_format: "markdown" });
    const lines = [{ voice: "", text: "Hello." }];
    expect(requestOf({ ...FORM, mode: "dialogue", lines, textFormat: "html" })).not.toHaveProperty("text_format");
  });

  it("asks for numbers in words when they are wanted", () => {
    expect(requestOf({ ...FORM, spellsOut: true })).toMatchObject({ spell_out: true });
  });

  it("carries a clip instead of the voice, and wants its words", () => {
    const clip = { name: "anna", base64: "AAAA", transcript: " Hello, I am Anna. " };
    const request = requestOf({ ...FORM, clip });
    expect(request).not.toHaveProperty("voice");
    expect(request["ref_audio"]).toEqual({ name: "anna", audio_base64: "AAAA", transcript: "Hello, I am Anna." });
    expect(() => requestOf({ ...FORM, clip: { ...clip, transcript: " " } })).toThrow("what is said in the clip");
  });

  it("numbers the speakers of a dialogue as they come up, and keeps a line on one line", () => {
    const lines = [
      { voice: "rms", text: "I have a small\nquestion." },
      { voice: "slt", text: "Please ask." },
      { voice: "slt", text: "  " },
      { voice: "rms", text: "Where is the sea?" },
    ];
    expect(requestOf({ ...FORM, mode: "dialogue", lines })).toMatchObject({
      input: "[SPEAKER0] I have a small question.\n[SPEAKER1] Please ask.\n[SPEAKER0] Where is the sea?",
      voice: "rms,slt",
      chunk_method: "speaker",
    });
    expect(() => requestOf({ ...FORM, mode: "dialogue", lines: [{ voice: "", text: " " }] })).toThrow(
      "at least one line",
    );
    const mixed = [...lines, { voice: "", text: "Who speaks?" }];
    expect(() => requestOf({ ...FORM, mode: "dialogue", lines: mixed })).toThrow("a voice for every line");
  });

  it("says that there is nothing to say", () => {
    expect(() => requestOf({ ...FORM, text: " \n " })).toThrow("Type something to say.");
  });
});

describe("the request as a program", () => {
  const target = { origin: "http://localhost:8000", needsKey: true };

  it("is a curl line that a shell reads as meant, apostrophes too", () => {
    const body = requestOf({ ...FORM, text: `It's "warm" & $HOME.` });
    const script = snippetOf("curl", body, target).replace(/^curl/, String.raw`printf '%s\n'`);
    const { stdout } = spawnSync("sh", ["-c", script], { encoding: "utf8", env: { HIGGS_API_KEY: "k" } });
    const json = stdout.slice(stdout.indexOf("{"), stdout.lastIndexOf("}") + 1);
    expect(JSON.parse(json)).toEqual(body);
    expect(stdout).toContain("Authorization: Bearer k");
  });

  it("gives Python's client its own fields, and ours as extra ones", () => {
    const text = snippetOf("Python", { ...requestOf(FORM), normalize: false, top_k: null }, target);
    expect(text).toContain('    voice="slt",\n');
    expect(text).toContain('    extra_body={"seed": 7, "normalize": False, "top_k": None},');
    expect(text).toContain('api_key=os.environ["HIGGS_API_KEY"]');
    expect(snippetOf("Python", requestOf({ ...FORM, voice: "" }), target)).toContain('voice="alloy"');
  });

  it.each(["curl", "TypeScript", "Python"] as const)("has no clip in it in %s", (language) => {
    const clip = { name: "anna", base64: "QUJD".repeat(1000), transcript: "Hello." };
    const text = snippetOf(language, requestOf({ ...FORM, clip }), target);
    expect(text).not.toContain("QUJDQUJD");
    expect(text).toContain("<base64 of the clip>");
  });
});

describe("the picture of the speech", () => {
  it("shows the loudest sample of each stretch", () => {
    expect([...peaksOf(Float32Array.of(0, -0.5, 0.25, 0, 2, 0), 3)]).toEqual([0.5, 0.25, 1]);
    expect([...peaksOf(Float32Array.of(0.5), 3)]).toEqual([0.5, 0.5, 0.5]);
    expect([...peaksOf(new Float32Array(0), 2)]).toEqual([0, 0]);
  });

  it("writes times as a clock does", () => {
    expect([0, 5.25, 59.96, 61, 3600].map(clockText)).toEqual(["0:00.0", "0:05.3", "1:00.0", "1:01.0", "60:00.0"]);
  });
});
