import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SpeechModel, SpeechResult } from "@higgs-worker/higgs-audio";
import { parseText } from "media-captions";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { silentLogger } from "../logging/logger.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { captionsOf } from "./captions/captions-of.ts";
import { parseJob } from "./parse-input.ts";
import { captionRoom } from "./result-size.ts";
import { runSpeechJob, type SpeechJobOptions } from "./run-speech-job.ts";

const CHUNKS: SpeechResult["chunks"] = [
  { text: "The sun is warm.", startSeconds: 0.2, endSeconds: 1.8 },
  { text: "[SPEAKER1] She sings.", startSeconds: 2.4, endSeconds: 3.9 },
].map((chunk) => ({ ...chunk, frames: 40, finished: "eos", attempts: 1, findings: [], score: null }));

/** Hums four seconds, of a text with two chapters. */
function chapteredModel(): SpeechModel {
  const model = fakeModel({ frames: 100 });
  return {
    ...model,
    speak: async (request, options = {}) => {
      options.onOutline?.({ chapterTitles: ["One", "Zwei – größer"] });
      const chapters = [
        { title: "One", chunkIndex: 0, startSeconds: 0.2 },
        { title: "Zwei – größer", chunkIndex: 1, startSeconds: 2.4 },
      ];
      return { ...(await model.speak(request, options)), chunks: CHUNKS, chapters };
    },
  };
}

async function run(fields: Record<string, unknown>, options: SpeechJobOptions = {}, model = chapteredModel()) {
  const { config } = loadConfig({ HIGGS_OUTPUT_DIR: scratchDir() });
  const job = parseJob({ id: "job-1", input: { transcript: "Hello.", seed: 1, ...fields } }, config);
  const finished = await runSpeechJob(job, { config, logger: silentLogger, model: async () => model }, options);
  const { audio_url: url, audio_base64: base64 } = finished.output;
  const file = url === null ? Buffer.from(base64 ?? "", "base64") : readFileSync(new URL(url));
  return { output: finished.output, file };
}

describe("chapters", () => {
  it.each([
    [1, 0.2, 2.4, 4],
    [2, 0.1, 1.2, 2],
  ])("are in the output in the time of the file, at speed %d", async (speed, first, second, end) => {
    const { output } = await run({ speed });
    expect(output.chapters).toEqual([
      { title: "One", start_seconds: first, end_seconds: second },
      { title: "Zwei – größer", start_seconds: second, end_seconds: end },
    ]);
  });

  it.each([{ delivery: "base64" }, { delivery: "file", s3_key: join("a", "b") }])(
    "are marked in the file, and nothing else of the text is: %j",
    async (fields) => {
      for (const output_format of ["mp3", "flac", "opus", "wav"]) {
        const { file } = await run({ ...fields, output_format });
        const text = file.toString("utf8");
        expect(text).toContain("Zwei – größer");
        expect(text).not.toMatch(/Hello|warm|sings/);
      }
      const { file } = await run({ ...fields, output_format: "flac" });
      expect(file.toString("latin1")).toContain("CHAPTER002=00:00:02.400");
    },
  );

  it("are none in the parts of a stream, nor in formats without a place for them", async () => {
    const parts: Float32Array[] = [];
    const { output } = await run({}, { onAudio: (pcm) => void parts.push(pcm) });
    expect(output.chapters).toHaveLength(2);
    expect((await run({ output_format: "pcm" })).file).toHaveLength(4 * 48_000);
  });

  it("without any, the file is what it always was", async () => {
    const { output } = await run({}, {}, fakeModel({ frames: 100 }));
    expect(output.chapters).toEqual([]);
    expect(output.size_bytes).toBe(44 + 4 * 48_000);
  });
});

describe("captions", () => {
  it.each(["srt", "vtt"] as const)("come as %s with the times of the file", async (captions) => {
    const { output } = await run({ captions, speed: 2 });
    const { cues, errors } = await parseText(output.captions ?? "", { strict: true, type: captions });
    expect(errors).toEqual([]);
    expect(cues.map(({ startTime, endTime, text }) => [startTime, endTime, text])).toEqual([
      [0.1, 1.1, "The sun is warm."],
      [1.2, 2, captions === "vtt" ? "<v SPEAKER1>She sings." : "She sings."],
    ]);
    expect(output.warnings).toEqual([]);
  });

  it.each([{}, { captions: null }, { captions: "none" }])("are none unless wanted: %j", async (fields) => {
    expect((await run(fields)).output.captions).toBeNull();
  });

  it("are left out, with a warning, where the result has no room", () => {
    const options = { captions: "srt", speed: 1, fileSeconds: 4 } as const;
    const { text } = captionsOf({ chunks: CHUNKS }, { ...options, maxBytes: 1000 });
    const bytes = Buffer.byteLength(JSON.stringify(text));
    expect(captionsOf({ chunks: CHUNKS }, { ...options, maxBytes: bytes }).text).toBe(text);
    expect(captionsOf({ chunks: CHUNKS }, { ...options, maxBytes: bytes - 1 })).toEqual({
      text: null,
      warnings: [`the captions are left out: the result has no room (got ${bytes} bytes, limit ${bytes - 1})`],
    });
    expect(captionRoom(10_000_000, "x".repeat(9_983_000))).toBe(616);
    expect([captionRoom(0, null), captionRoom(20_000_000, null)]).toEqual([2_000_000, 2_000_000]);
  });
});
