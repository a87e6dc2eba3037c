import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ModelLoader } from "../model/load-model.ts";
import { fakeIo, type FakeIoOptions } from "../testing/fake-io.ts";
import { fakeModel, type FakeModelOptions } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { runSpeak, type SpeakArgs } from "./speak.ts";

const loader =
  (options: FakeModelOptions = {}): ModelLoader =>
  async () =>
    fakeModel(options);

function setUp(args: Partial<SpeakArgs> = {}, options: FakeIoOptions = {}) {
  const dir = scratchDir();
  const io = fakeIo({ workingDirectory: dir, env: { HIGGS_VOLUME_DIR: join(dir, "none") }, ...options });
  return {
    dir,
    io,
    args: { text: "The sky is blue.", out: "a.wav", isJson: false, fields: {}, settings: {}, ...args },
  };
}

describe("runSpeak()", () => {
  it("writes the file and says so on stderr only", async () => {
    const { dir, io, args } = setUp({ out: "deep/a.wav", fields: { seed: 7 } });
    expect(await runSpeak(args, io, loader())).toBe(0);
    expect(readFileSync(join(dir, "deep/a.wav")).subarray(0, 4).toString()).toBe("RIFF");
    expect(readdirSync(join(dir, "deep"))).toEqual(["a.wav"]);
    expect(io.out()).toBe("");
    expect(io.err()).toContain("deep/a.wav: 1.00 s, 4.2× real time, seed 7\n");
  });

  it.each([
    ["a.mp3", {}, "ID3"],
    ["A.FLAC", {}, "fLaC"],
    ["a.ogg", {}, "OggS"],
    ["a.opus", {}, "OggS"],
    ["a.sound", {}, "RIFF"],
    ["a.sound", { output_format: "flac" }, "fLaC"],
    ["a.ogg", { output_format: "opus" }, "OggS"],
  ])("%s with %j is written in the format that is meant", async (out, fields, magic) => {
    const { dir, io, args } = setUp({ out, fields });
    await runSpeak(args, io, loader());
    expect(readFileSync(join(dir, out)).toString("latin1", 0, magic.length)).toBe(magic);
  });

  it("refuses a name that ends as another format does", async () => {
    const { dir, io, args } = setUp({ out: "a.wav", fields: { output_format: "mp3" } });
    const reason = "its name ends as wav does, and --output-format is mp3; leave one of them out";
    await expect(runSpeak(args, io, loader())).rejects.toMatchObject({ code: "INVALID_INPUT", reason });
    expect(readdirSync(dir)).toEqual([]);
  });

  it("writes the bytes to stdout with --out -", async () => {
    const { dir, io, args } = setUp({ out: "-" });
    expect(await runSpeak(args, io, loader())).toBe(0);
    expect(io.outBytes()).toHaveLength(48_044);
    expect(readdirSync(dir)).toEqual([]);
  });

  it("prints the job's output with --json, and the error too", async () => {
    const { dir, io, args } = setUp({ isJson: true });
    await runSpeak(args, io, loader());
    const printed = JSON.parse(io.out()) as { output: { audio_url: string } };
    expect(printed).toMatchObject({ output: { success: true, audio_url: `file://${dir}/a.wav` }, error: null });

    const failing = setUp({ isJson: true, fields: { top_k: -1 } });
    await expect(runSpeak(failing.args, failing.io, loader())).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(JSON.parse(failing.io.out())).toEqual({ output: null, error: expect.stringMatching(/^INVALID_INPUT: /) });
  });

  it("says that the demo checkpoint speaks", async () => {
    const { io, args } = setUp();
    await runSpeak(args, io, loader());
    expect(io.err()).toContain("using the demo checkpoint");
  });

  it("loads nothing when the output cannot be written", async () => {
    const { io, args } = setUp({ out: "/proc/none/a.wav" });
    const never: ModelLoader = () => Promise.reject(new Error("loaded"));
    await expect(runSpeak(args, io, never)).rejects.toMatchObject({ code: "STORAGE_DENIED" });
  });

  it("stops within a frame at SIGINT and leaves no file", async () => {
    const { dir, io, args } = setUp({}, { isTerminal: true });
    const started = runSpeak(args, io, loader({ frames: 1_000, frameMs: 5 }));
    setTimeout(() => io.kill("SIGINT"), 60);
    // It would speak to the end if it did not stop.
    await expect(started).rejects.toMatchObject({ code: "CANCELLED" });
    expect(readdirSync(dir)).toEqual([]);
  });

  it("gives the model back, also after a failure", async () => {
    let disposed = 0;
    const counting: ModelLoader = async () => {
      const model = fakeModel({ frames: 1, spoil: () => new Float32Array(0) });
      return { ...model, [Symbol.asyncDispose]: async () => void disposed++ };
    };
    const { io, args } = setUp();
    await expect(runSpeak(args, io, counting)).rejects.toMatchObject({ code: "GENERATION_FAILED" });
    expect(disposed).toBe(1);
  });

  it("has one stdout only", async () => {
    const { io, args } = setUp({ out: "-", isJson: true });
    await expect(runSpeak(args, io, loader())).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(io.out()).toBe("");
  });
});
