import { readdirSync } from "node:fs";
import { join } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import type { ChunkStore, SpeechModel } from "@higgs-worker/higgs-audio";
import { expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { silentLogger } from "../logging/logger.ts";
import { ResumableJobs } from "../storage/resume/resumable-jobs.ts";
import { resumeFolderOf } from "../storage/resume/resume-folder.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { parseJob } from "./parse-input.ts";
import { runSpeechJob, type SpeechJobOptions } from "./run-speech-job.ts";

const CHUNKS = 5;
const SAMPLES_A_CHUNK = 24_000;

/**
 * Hums a second a chunk, at a pitch of the seed and the chunk, and keeps chunks as the real model does. `crashes` are the chunks at
 * which the engine ends, once each.
 */
function chunkedModel(crashes: readonly number[] = []) {
  const spoken: number[] = [];
  const seeds: (number | undefined)[] = [];
  const left = [...crashes];
  const speech = "c".repeat(64);
  const keep = async (store: ChunkStore | undefined, index: number, seed: number) => {
    const key = { speech, index, after: `${speech}${seed}${index}` };
    if (((await store?.load(key)) ?? null) !== null) return true;
    if (left[0] === index) {
      left.shift();
      throw new HiggsError("ENGINE_CRASHED", "finish the speech", "the engine's process ended (got SIGKILL)");
    }
    spoken.push(index);
    await store?.save(key, { parts: [{ codes: [Int32Array.of(index)], facts: {} }] });
    return false;
  };
  const model: SpeechModel = {
    ...fakeModel(),
    speak: async (request, options = {}) => {
      const { seed = 0 } = request;
      seeds.push(seed);
      const parts: Float32Array[] = [];
      let resumedChunks = 0;
      for (let index = 0; index < CHUNKS; index++) {
        if (await keep(options.chunkStore, index, seed)) resumedChunks += 1;
        const hertz = 100 + 10 * index + (seed % 10);
        const pcm = Float32Array.from({ length: SAMPLES_A_CHUNK }, (_, i) => 0.5 * Math.sin((i * hertz) / 4000));
        parts.push(pcm);
        options.onAudio?.(pcm);
      }
      const { pcm: _pcm, ...facts } = await fakeModel().speak(request);
      const pcm =
        options.onAudio === undefined ? Float32Array.from(parts.flatMap((part) => [...part])) : new Float32Array(0);
      return { ...facts, pcm, resumedChunks, chunkCount: CHUNKS };
    },
  };
  return { model, spoken, seeds };
}

function run(
  fields: Record<string, unknown>,
  model: SpeechModel,
  directory: string,
  { id = "job-1", ...options }: SpeechJobOptions & { readonly id?: string; readonly warned?: string[] } = {},
) {
  const { config } = loadConfig({ HIGGS_OUTPUT_DIR: join(directory, "out") });
  const logger = { ...silentLogger, warn: (message: string) => void options.warned?.push(message) };
  const resumable = new ResumableJobs({ directory: join(directory, "jobs"), maxAgeMs: 86_400_000, logger });
  const services = { config, logger, model: async () => model, resumable };
  const job = parseJob({ id, input: { transcript: "Hello.", ...fields } }, config);
  return runSpeechJob(job, services, options);
}

const left = (directory: string) => readdirSync(join(directory, "jobs")).filter((name) => name !== "seeds");

it.each([{ delivery: "base64" }, { delivery: "file", s3_key: "a.wav" }])(
  "an engine that ends costs the chunk that it was in, and nothing else: %j",
  async (fields) => {
    const directory = scratchDir();
    const whole = await run({ ...fields, seed: 5 }, chunkedModel().model, directory);
    const warned: string[] = [];
    const { model, spoken } = chunkedModel([1, 3, 4]);
    const resumed = await run({ ...fields, seed: 5 }, model, directory, { warned });
    expect(resumed.output.sha256).toBe(whole.output.sha256);
    expect(spoken).toEqual([0, 1, 2, 3, 4]);
    expect(warned).toEqual(Array(3).fill("the engine ended; the speech goes on behind its finished chunks"));
    expect(left(directory)).toEqual([]);
  },
);

it("gives a client that listens each sample once", async () => {
  const directory = scratchDir();
  const parts: Float32Array[] = [];
  const { model } = chunkedModel([1, 3]);
  const { output } = await run({ seed: 5 }, model, directory, { onAudio: (pcm) => void parts.push(pcm) });
  expect(parts.map(({ length }) => length)).toEqual(Array(CHUNKS).fill(SAMPLES_A_CHUNK));
  expect(output.sha256).toBe((await run({ seed: 5 }, chunkedModel().model, directory)).output.sha256);
});

it("an engine that ends twice at the same chunk fails the job; its next delivery goes on there with the seed that was drawn", async () => {
  const directory = scratchDir();
  const first = chunkedModel([2, 2]);
  await expect(run({}, first.model, directory)).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
  expect(left(directory)).toHaveLength(1);
  const second = chunkedModel();
  const { output } = await run({}, second.model, directory);
  expect(second.spoken).toEqual([2, 3, 4]);
  const { seed } = output.metadata.generation_parameters;
  expect([...first.seeds, ...second.seeds]).toEqual([seed, seed, seed]);
  expect(output.sha256).toBe((await run({ seed }, chunkedModel().model, scratchDir())).output.sha256);
  expect(left(directory)).toEqual([]);
});

it("what is finished stays until the platform has the result: a delivery before that speaks nothing again", async () => {
  const directory = scratchDir();
  const works: (() => unknown)[] = [];
  const first = await run({}, chunkedModel().model, directory, { whenAnswered: (work) => void works.push(work) });
  const { model, spoken } = chunkedModel();
  const again = await run({}, model, directory, { whenAnswered: (work) => void works.push(work) });
  expect([spoken, again.output.sha256]).toEqual([[], first.output.sha256]);
  expect(left(directory)).toHaveLength(1);
  for (const work of works) await work();
  expect(left(directory)).toEqual([]);
});

it("a job of another id draws another seed, and takes over nothing", async () => {
  const directory = scratchDir();
  await expect(run({}, chunkedModel([2, 2]).model, directory)).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
  const other = chunkedModel();
  await run({}, other.model, directory, { id: "job-2" });
  expect(other.spoken).toEqual([0, 1, 2, 3, 4]);
});

it("keeps nothing for a caller in this process", async () => {
  const directory = scratchDir();
  const { model } = chunkedModel([2]);
  const speaking = run({}, model, directory, { delivery: { kind: "bytes" } });
  await expect(speaking).rejects.toMatchObject({ code: "ENGINE_CRASHED" });
  expect(readdirSync(directory)).toEqual([]);
});

it("knows the folder: as set, on the volume if there is one, or none", () => {
  const volume = scratchDir();
  const folder = (env: Record<string, string>) => resumeFolderOf(loadConfig(env).config);
  expect(folder({ HIGGS_VOLUME_DIR: volume })).toBe(join(volume, "higgs_audio", "jobs"));
  expect(folder({ HIGGS_VOLUME_DIR: volume, HIGGS_RESUME_DIR: "/x" })).toBe("/x");
  expect(folder({ HIGGS_VOLUME_DIR: "/nowhere" })).toBeNull();
  expect(folder({ HIGGS_VOLUME_DIR: volume, HIGGS_RESUME: "off" })).toBeNull();
});
