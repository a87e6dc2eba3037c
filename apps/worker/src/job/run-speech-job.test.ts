import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeAndResample } from "@higgs-worker/audio";
import { HiggsError } from "@higgs-worker/base";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { silentLogger } from "../logging/logger.ts";
import { fakeModel, type FakeModel } from "../testing/fake-model.ts";
import { presignPut } from "../testing/presign-put.ts";
import { startS3Stub } from "../testing/s3-stub.ts";
import { scratchDir } from "../testing/scratch.ts";
import { parseJob } from "./parse-input.ts";
import { runSpeechJob, type SpeechJobOptions } from "./run-speech-job.ts";

function run(
  fields: Record<string, unknown>,
  model: FakeModel,
  env: Record<string, string> = {},
  options: SpeechJobOptions = {},
) {
  const { config } = loadConfig(env);
  const services = {
    config,
    logger: silentLogger,
    model: async () => model,
    s3Options: { firstRetryMs: 1 },
  };
  return runSpeechJob(parseJob({ id: "job-1", input: { transcript: "Hello.", ...fields } }, config), services, options);
}

const sha256Of = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("runSpeechJob()", () => {
  it("gives the contract's output, complete", async () => {
    const { output } = await run({ seed: 5, temperature: 0.8 }, fakeModel());
    const file = Buffer.from(output.audio_base64 ?? "", "base64");
    expect(output).toEqual({
      success: true,
      audio_url: null,
      duration_seconds: 1,
      sample_rate: 24_000,
      text_output: "Hello.",
      metadata: {
        model_used: "fake/higgs",
        voice_clone: null,
        generation_parameters: {
          temperature: 0.8,
          top_k: 50,
          top_p: 0.95,
          min_p: 0,
          max_new_tokens: 2048,
          chunk_method: null,
          chunk_max_word_num: 200,
          chunk_max_num_turns: 1,
          generation_chunk_buffer_size: null,
          trim: true,
          pause_ms: { clause: 150, sentence: 350, paragraph: 700, turn: 400 },
          lookahead_frames: null,
          allow_truncated: false,
          voice_consistency: null,
          guard: true,
          max_retries: 2,
          retry_seeded: false,
          ras_win_len: 7,
          ras_win_max_num_repeat: 2,
          seed: 5,
          scene_prompt: "quiet_indoor",
          ref_audio_in_system_message: false,
          normalize: true,
          text_format: "plain",
          spell_out: false,
          language: null,
          code: "skip",
          emoji: "silent",
          output_format: "wav",
          sample_rate: 24_000,
          speed: 1,
          loudness: null,
          delivery: "base64",
        },
      },
      download_url: null,
      audio_base64: expect.any(String),
      format: "wav",
      size_bytes: 48_044,
      sha256: sha256Of(file),
      timings: {
        queue_ms: expect.any(Number),
        prefill_ms: 10,
        generate_ms: 200,
        decode_ms: 30,
        upload_ms: expect.any(Number),
        total_ms: expect.any(Number),
        first_audio_ms: 50,
      },
      usage: { characters: 6, prompt_tokens: 43, audio_frames: 25, rtf: 0.24 },
      chapters: [],
      captions: null,
      quality: {
        score: null,
        retries: 0,
        findings: 0,
        chunks: [{ start_seconds: 0, end_seconds: 1, finish_reason: "eos", attempts: 1, score: null, findings: [] }],
      },
      warnings: [],
    });
    expect(file.subarray(0, 4).toString("latin1")).toBe("RIFF");
    expect(file).toHaveLength(48_044);
    expect(JSON.parse(JSON.stringify(output))).toEqual(output);
  });

  it("turns the input into the request", async () => {
    const model = fakeModel();
    await run(
      {
        scene_prompt: "A windy beach.",
        ref_audio: "profile:male_en",
        ras_win_max_num_repeat: 0,
        chunk_method: "None",
        normalize: false,
        seed: 9,
      },
      model,
    );
    expect(model.requests[0]).toMatchObject({
      transcript: "Hello.",
      normalize: false,
      scene: "A windy beach.",
      references: [{ kind: "profile", name: "male_en", description: expect.stringContaining("American accent") }],
      chunkMethod: "auto",
      sampling: { temperature: 1, topK: 50, topP: 0.95, minP: 0, rasWinLen: 0 },
      maxNewTokens: 2048,
      seed: 9,
    });
  });

  it("clones voices: encodes each clip and names it in the output", async () => {
    const model = fakeModel();
    const audio_base64 = readFileSync(
      join(import.meta.dirname, "../../../../demo-checkpoint/voices/kal.wav"),
      "base64",
    );
    const clip = { audio_base64, name: "me" };
    const { output } = await run({ ref_audio: ["slt", clip], ref_audio_in_system_message: true }, model);
    expect(output.metadata.voice_clone).toBe("slt,me");
    expect(output.metadata.generation_parameters.ref_audio_in_system_message).toBe(true);
    expect(model.requests[0]).toMatchObject({
      referencesInSystemMessage: true,
      references: [
        { kind: "clip", samples: { length: 82_560 }, transcript: expect.stringMatching(/^The old man/) },
        { kind: "clip", samples: { length: 79_680 }, transcript: "" },
      ],
    });
    expect(output.warnings).toEqual([]);
  });

  it("draws a seed when there is none, says which, and the seed gives the same audio again", async () => {
    const model = fakeModel();
    const first = await run({}, model);
    const second = await run({}, model);
    const seed = first.output.metadata.generation_parameters.seed;
    expect(second.output.metadata.generation_parameters.seed).not.toBe(seed);
    expect((await run({ seed }, model)).output.sha256).toBe(first.output.sha256);
  });

  it.each([
    ["quiet_indoor", "Audio is recorded from a quiet room."],
    ["empty", null],
    ["Rain on a roof", "Rain on a roof"],
  ])("scene_prompt %j gives the scene %j", async (scene, expected) => {
    const model = fakeModel();
    await run({ scene_prompt: scene }, model);
    expect(model.requests[0]?.scene).toBe(expected);
  });

  it("warns when a literal scene is nearly a preset's name", async () => {
    const { output } = await run({ scene_prompt: "quiet_indor" }, fakeModel());
    expect(output.warnings).toEqual([expect.stringContaining("quiet_indoor")]);
  });

  it("delivers to S3", async () => {
    const stub = await startS3Stub();
    const { output } = await run({ s3_key: "out/a.wav" }, fakeModel(), stub.env);
    const stored = stub.objects.get("out/a.wav");
    expect(output).toMatchObject({
      audio_url: "s3://audio/out/a.wav",
      audio_base64: null,
      sha256: sha256Of(stored?.bytes ?? Buffer.of()),
    });
    expect(stored?.contentType).toBe("audio/wav");
    expect((await fetch(output.download_url ?? "")).status).toBe(200);
  });

  it.each([
    ["a wrong secret key", { AWS_SECRET_ACCESS_KEY: "wrong" }, {}, "STORAGE_DENIED", "SignatureDoesNotMatch"],
    ["a bucket that does not exist", {}, { s3_bucket: "nowhere" }, "STORAGE_NOT_CONFIGURED", "NoSuchBucket"],
    ["a password in the endpoint", { AWS_ENDPOINT_URL_S3: "http://u:p@127.0.0.1:1" }, {}, "STORAGE_NOT_CONFIGURED", ""],
    ["a line break in the key id", { AWS_ACCESS_KEY_ID: "AKID\nTEST" }, {}, "STORAGE_NOT_CONFIGURED", "line break"],
    ["a name of 241 bytes", {}, { s3_key: `out/${"x".repeat(241)}` }, "INVALID_INPUT", "limit 240"],
  ])("%s costs no speech", async (_name, env, fields, code, reason) => {
    const stub = await startS3Stub();
    const model = fakeModel();
    const failure = (async () => await run({ s3_key: "a.wav", ...fields }, model, { ...stub.env, ...env }))();
    await expect(failure).rejects.toMatchObject({ code, message: expect.stringContaining(reason) });
    expect(model.requests).toHaveLength(0);
  });

  it("delivers raw samples, named and typed as such", async () => {
    const stub = await startS3Stub();
    const wav = await run({ seed: 3 }, fakeModel(), {}, { delivery: { kind: "bytes" } });
    const { output } = await run({ seed: 3, output_format: "pcm", delivery: "s3" }, fakeModel(), stub.env);
    const [[key, stored] = ["", undefined]] = [...stub.objects];
    expect(key).toMatch(/\.pcm$/);
    expect(stored?.contentType).toBe("audio/pcm");
    expect(stored?.bytes).toEqual(Buffer.from(wav.file?.subarray(44) ?? []));
    expect(output).toMatchObject({
      format: "pcm",
      size_bytes: 48_000,
      sha256: sha256Of(stored?.bytes ?? Buffer.of()),
      metadata: { generation_parameters: { output_format: "pcm" } },
    });
  });

  it.each([
    ["mp3", 24_000, "audio/mpeg", 8_000 + 1_500],
    ["flac", 24_000, "audio/flac", 40_000],
    ["opus", 48_000, "audio/ogg", 12_000],
  ])(
    "delivers %s that decodes to as many samples as were spoken",
    async (format, decodedRateHz, mimeType, maxBytes) => {
      const stub = await startS3Stub();
      const { output } = await run({ seed: 3, output_format: format, delivery: "s3" }, fakeModel(), stub.env);
      const [[key, stored] = ["", undefined]] = [...stub.objects];
      const bytes = stored?.bytes ?? Buffer.of();
      expect(key.endsWith(`.${format}`)).toBe(true);
      expect(stored?.contentType).toBe(mimeType);
      expect(bytes.length).toBeLessThan(maxBytes);
      expect(output).toMatchObject({ format, sample_rate: 24_000, duration_seconds: 1, sha256: sha256Of(bytes) });
      const { audio } = await decodeAndResample(bytes, 24_000);
      expect(audio).toMatchObject({ format: format === "opus" ? "ogg-opus" : format, sampleRateHz: decodedRateHz });
      expect(audio.samples).toHaveLength(decodedRateHz);
      expect(bytes.toString("latin1")).toContain("AI-generated speech");
      expect(bytes.toString("latin1")).not.toContain("Hello");
    },
  );

  it.each(["ulaw", "alaw"])("delivers %s of telephones: a byte for each of 8000 samples a second", async (format) => {
    const { output, file } = await run({ seed: 3, output_format: format }, fakeModel());
    expect(output).toMatchObject({ format, sample_rate: 8_000, duration_seconds: 1, size_bytes: 8_000 });
    expect(file).toHaveLength(8_000);
  });

  it.each([8_000, 16_000, 22_050, 24_000, 44_100, 48_000])("delivers WAV at %i Hz", async (rate) => {
    const { output, file } = await run({ seed: 3, sample_rate: rate }, fakeModel());
    expect(output).toMatchObject({ sample_rate: rate, duration_seconds: 1, size_bytes: 44 + 2 * rate });
    expect(output.metadata.generation_parameters).toMatchObject({ sample_rate: rate });
    expect(Buffer.from(file ?? []).readUInt32LE(24)).toBe(rate);
  });

  it.each([0.25, 0.8, 1.5, 4])("speaks at speed %d, and says how long the file is", async (speed) => {
    const { output } = await run({ seed: 3, speed }, fakeModel());
    expect(output).toMatchObject({
      duration_seconds: Number((1 / speed).toFixed(3)),
      size_bytes: 44 + 2 * Math.round(24_000 / speed),
    });
    expect(output.usage.rtf).toBeGreaterThan(0);
  });

  it("makes a file as loud as was wanted, or says what it could not do", async () => {
    const plain = await run({ seed: 3 }, fakeModel());
    const quiet = await run({ seed: 3, loudness: -40 }, fakeModel());
    expect(quiet.output.warnings).toEqual([]);
    expect(quiet.output.sha256).not.toBe(plain.output.sha256);
    const short = await run({ seed: 3, loudness: -16 }, fakeModel({ frames: 5 }));
    expect(short.output.warnings).toEqual([expect.stringContaining("too short or too quiet")]);
    const spike = (pcm: Float32Array) => pcm.map((x, i) => (i === 500 ? 0.99 : x * 0.01));
    const peaked = await run({ seed: 3, loudness: -10 }, fakeModel({ spoil: spike }));
    expect(peaked.output.warnings).toEqual([expect.stringMatching(/loudness is -\d+\.\d LUFS instead of -10/)]);
  });

  it("delivers to an address that the job gives, and tells neither it nor its signature to anyone else", async () => {
    const stub = await startS3Stub();
    const { host } = new URL(stub.url);
    const put_url = await presignPut(stub, "out/a.wav");
    // The worker's own bucket is not asked.
    const env = { ...stub.env, AWS_SECRET_ACCESS_KEY: "wrong", HIGGS_PUT_URL_HOSTS: host };
    const { output } = await run({ put_url }, fakeModel(), env);
    expect(sha256Of(stub.objects.get("out/a.wav")?.bytes ?? Buffer.of())).toBe(output.sha256);
    expect(output).toMatchObject({
      audio_url: `${stub.url}/audio/out/a.wav`,
      download_url: null,
      audio_base64: null,
      metadata: { generation_parameters: { delivery: "put_url" } },
    });
    expect(JSON.stringify(output)).not.toContain("Signature");
    stub.faults.push({ kind: "status", status: 403, code: "AccessDenied" });
    const spool = { HIGGS_SPOOL_DIR: scratchDir() };
    const failure = await run({ put_url }, fakeModel(), { ...env, ...spool }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "STORAGE_DENIED", message: expect.stringContaining("the audio is kept in") });
    expect(String(failure)).not.toMatch(/Signature|127\.0\.0\.1/);
  });

  it("delivers to a file", async () => {
    const dir = scratchDir();
    const { output } = await run({ delivery: "file", s3_key: "deep/a.wav" }, fakeModel(), { HIGGS_OUTPUT_DIR: dir });
    expect(sha256Of(readFileSync(fileURLToPath(output.audio_url ?? "")))).toBe(output.sha256);
    expect(readdirSync(join(dir, "deep"))).toEqual(["a.wav"]);
  });
});

describe("runSpeechJob() with delivery file", () => {
  const files = { delivery: "file" };

  it.each([
    ["a folder that links elsewhere", { s3_key: "link/a.wav" }, {}, "INVALID_INPUT"],
    ["a file where the key has a folder", { s3_key: "file/a.wav" }, {}, "INVALID_INPUT"],
    ["a folder where the key has its file", { s3_key: "folder" }, {}, "INVALID_INPUT"],
    ["a file where the template has a folder", {}, { S3_KEY_TEMPLATE: "file/{uuid}.wav" }, "STORAGE_NOT_CONFIGURED"],
    ["an output folder that is a file", {}, { HIGGS_OUTPUT_DIR: "file" }, "STORAGE_NOT_CONFIGURED"],
    ["an output folder that cannot be made", {}, { HIGGS_OUTPUT_DIR: "/proc/none" }, "STORAGE_DENIED"],
  ] satisfies [string, object, Record<string, string>, string][])(
    "finds %s before the speech, as an error that no retry cures",
    async (_name, fields, env, code) => {
      const elsewhere = scratchDir();
      const dir = scratchDir();
      symlinkSync(elsewhere, join(dir, "link"));
      mkdirSync(join(dir, "folder"));
      writeFileSync(join(dir, "file"), "");
      const outputDir = resolve(dir, "HIGGS_OUTPUT_DIR" in env ? env.HIGGS_OUTPUT_DIR : ".");
      const model = fakeModel();
      const job = run({ ...files, ...fields }, model, { ...env, HIGGS_OUTPUT_DIR: outputDir });
      await expect(job).rejects.toMatchObject({ code, definition: { isRetryable: false } });
      expect(model.requests).toEqual([]);
      expect(readdirSync(elsewhere)).toEqual([]);
      expect(readdirSync(dir).toSorted()).toEqual(["file", "folder", "link"]);
    },
  );

  it("writes nothing through a link that was made while the model spoke", async () => {
    const elsewhere = scratchDir();
    const dir = scratchDir();
    const options = {
      onProgress: () => void (existsSync(join(dir, "new")) || symlinkSync(elsewhere, join(dir, "new"))),
    };
    const job = run({ ...files, s3_key: "new/a.wav" }, fakeModel(), { HIGGS_OUTPUT_DIR: dir }, options);
    await expect(job).rejects.toMatchObject({ code: "INVALID_INPUT" });
    expect(readdirSync(elsewhere)).toEqual([]);
  });
});

describe("runSpeechJob() refuses", () => {
  it.each([
    ["an unknown profile", { ref_audio: "profile:nobody" }, "VOICE_NOT_FOUND"],
    ["an unknown voice", { ref_audio: "nobody" }, "VOICE_NOT_FOUND"],
    ["an unknown voice beside a profile", { ref_audio: "profile:male_en,nobody" }, "VOICE_NOT_FOUND"],
    ["a clip that is not audio", { ref_audio: { audio_base64: "AA==", transcript: "x" } }, "REFERENCE_INVALID"],
    ["a private address", { ref_audio: "https://10.0.0.1/a.wav" }, "REFERENCE_REFUSED"],
    ["put_url to a private address", { put_url: "https://10.0.0.1/a.wav" }, "INVALID_INPUT"],
    ["delivery put_url without an address", { delivery: "put_url" }, "INVALID_INPUT"],
    ["S3 without credentials", { delivery: "s3" }, "STORAGE_NOT_CONFIGURED"],
    ["what cannot fit", { transcript: "word ".repeat(4000), chunk_method: "word" }, "RESULT_TOO_LARGE"],
  ])("%s, before the model is asked for", async (_name, fields, code) => {
    const { config } = loadConfig({});
    const services = {
      config,
      logger: silentLogger,
      model: () => Promise.reject(new Error("the model was loaded")),
    };
    const job = parseJob({ id: "j", input: { transcript: "Hi.", ...fields } }, config);
    await expect(runSpeechJob(job, services)).rejects.toMatchObject({
      code,
    });
  });

  it("audio that outgrows its result is given up while it is made", async () => {
    const heard: number[] = [];
    const model = fakeModel();
    const speak: FakeModel["speak"] = async (_request, { onProgress, signal } = {}) => {
      for (let chunkIndex = 0; chunkIndex < 99; chunkIndex++) {
        if (signal?.aborted === true) break;
        const audioSeconds = 10 * (chunkIndex + 1);
        heard.push(audioSeconds);
        onProgress?.({
          chunkIndex,
          chunkCount: 99,
          resumedChunks: 0,
          retries: 0,
          audioSeconds,
          frames: 250,
          elapsedMs: 1,
        });
      }
      throw new HiggsError("CANCELLED", "finish the speech", "the request was cancelled");
    };
    await expect(run({ delivery: "base64" }, { ...model, speak })).rejects.toMatchObject({ code: "RESULT_TOO_LARGE" });
    // 156 s of 24 kHz are 10 MB of base64.
    expect(heard.at(-1)).toBe(190);
  });

  it.each([
    ["no audio at all", () => new Float32Array(0)],
    ["samples that are NaN", (pcm: Float32Array) => pcm.fill(Number.NaN, 100, 200)],
  ])("%s from the model", async (_name, spoil) => {
    await expect(run({}, fakeModel({ spoil }))).rejects.toMatchObject({ code: "GENERATION_FAILED" });
  });

  it.each([
    ["silence", (pcm: Float32Array) => pcm.fill(0), "silent throughout"],
    ["clipping", (pcm: Float32Array) => pcm.map((sample) => sample * 4), "beyond full scale"],
  ])("nothing, but warns of %s", async (_name, spoil, expected) => {
    const { output } = await run({}, fakeModel({ spoil }));
    expect(output.warnings).toEqual([expect.stringContaining(expected)]);
  });

  it("an error of the engine as it is", async () => {
    const fail = new HiggsError("CONTEXT_OVERFLOW", "speak", "too long");
    await expect(run({}, fakeModel({ fail }))).rejects.toBe(fail);
  });

  it("a cancelled job leaves no file, whenever the cancel comes", async () => {
    const dir = scratchDir();
    for (const frame of [1, 10, 25]) {
      const cancel = new AbortController();
      const options: SpeechJobOptions = {
        signal: cancel.signal,
        onProgress: ({ frames }) => frames === frame && cancel.abort(),
      };
      const job = run({ delivery: "file" }, fakeModel(), { HIGGS_OUTPUT_DIR: dir }, options);
      await expect(job).rejects.toMatchObject({ code: "CANCELLED" });
    }
    expect(readdirSync(dir, { recursive: true }).filter((name) => String(name).endsWith(".wav"))).toEqual([]);
    expect(readdirSync(dir, { recursive: true }).filter((name) => String(name).includes("partial"))).toEqual([]);
  });
});
