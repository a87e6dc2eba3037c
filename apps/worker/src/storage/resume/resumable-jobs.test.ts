import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HiggsError } from "@higgs-worker/base";
import type { StoredChunk } from "@higgs-worker/higgs-audio";
import { expect, it } from "vitest";
import { silentLogger, type Logger } from "../../logging/logger.ts";
import { scratchDir } from "../../testing/scratch.ts";
import { ResumableJobs } from "./resumable-jobs.ts";

const DAY_MS = 86_400_000;
const JOB = { id: "job-1", input: { transcript: "The sun is warm.", seed: null } };
const SPEECH = "a".repeat(64);
const KEY = { speech: SPEECH, index: 0, after: SPEECH };
const CHUNK: StoredChunk = { parts: [{ codes: [Int32Array.of(1, 2)], facts: { finished: "eos" } }] };

function jobsIn(directory: string, options: { readonly logger?: Logger; readonly now?: () => number } = {}) {
  return new ResumableJobs({ directory, maxAgeMs: 3 * DAY_MS, logger: silentLogger, ...options });
}

it("the next delivery of a job gets the drawn seed and the chunks; another job does not", async () => {
  const directory = scratchDir();
  const first = jobsIn(directory).open(JOB);
  expect(await first.seedOr(7)).toBe(7);
  expect(await first.load(KEY)).toBeNull();
  await first.save(KEY, CHUNK);
  const again = jobsIn(directory).open(JOB);
  expect(await again.seedOr(8)).toBe(7);
  expect(await again.load(KEY)).toEqual(CHUNK);
  expect(
    await jobsIn(directory)
      .open({ ...JOB, id: "job-2" })
      .seedOr(9),
  ).toBe(9);
  const otherInput = { ...JOB, input: { ...JOB.input, transcript: "The sky is blue." } };
  expect(await jobsIn(directory).open(otherInput).seedOr(9)).toBe(9);
});

it("writes nothing for a job whose speech keeps no chunks", async () => {
  const directory = scratchDir();
  const job = jobsIn(directory).open(JOB);
  await job.seedOr(7);
  await job.finish();
  expect(await readdir(directory)).toEqual([]);
});

it("forgets a job that is done", async () => {
  const directory = scratchDir();
  const job = jobsIn(directory).open(JOB);
  await job.seedOr(7);
  await job.load(KEY);
  void job.save(KEY, CHUNK);
  await job.finish();
  expect(await readdir(directory)).toEqual(["seeds"]);
  expect(await readdir(join(directory, "seeds"))).toEqual([]);
});

it("keeps a job that failed, unless the same seed would fail again", async () => {
  const directory = scratchDir();
  const job = jobsIn(directory).open(JOB);
  await job.seedOr(7);
  await job.load(KEY);
  await job.save(KEY, CHUNK);
  await job.fail(new HiggsError("STORAGE_FAILED", "store", "it is away"));
  expect(await jobsIn(directory).open(JOB).seedOr(8)).toBe(7);
  await job.fail(new HiggsError("GENERATION_FAILED", "speak", "the model ended at once"));
  expect(await jobsIn(directory).open(JOB).seedOr(8)).toBe(8);
  expect(await jobsIn(directory).open(JOB).load(KEY)).toBeNull();
});

it("two workers with the same job keep one seed, and go on with their own", async () => {
  const directory = scratchDir();
  const [a, b] = [jobsIn(directory).open(JOB), jobsIn(directory).open(JOB)];
  expect([await a.seedOr(1), await b.seedOr(2)]).toEqual([1, 2]);
  await Promise.all([a.load(KEY), b.load({ ...KEY, speech: "b".repeat(64) })]);
  expect([1, 2]).toContain(await jobsIn(directory).open(JOB).seedOr(3));
});

it.each(["", "abc\n", "12", "99999999999999999\n"])("does not take a seed that was half written: %j", async (text) => {
  const directory = scratchDir();
  const job = jobsIn(directory).open(JOB);
  await job.seedOr(7);
  await job.load(KEY);
  const [name = ""] = await readdir(join(directory, "seeds"));
  await writeFile(join(directory, "seeds", name), text);
  expect(await jobsIn(directory).open(JOB).seedOr(8)).toBe(8);
});

it("says once why nothing is kept, and works without", async () => {
  const path = join(scratchDir(), "file");
  await writeFile(path, "");
  const warned: unknown[] = [];
  const logger = { ...silentLogger, warn: (...line: unknown[]) => void warned.push(line) };
  const job = jobsIn(path, { logger }).open(JOB);
  expect(await job.seedOr(7)).toBe(7);
  expect(await job.load(KEY)).toBeNull();
  await job.save(KEY, CHUNK);
  await job.finish();
  const reason = "the seed cannot be kept: a part of the path is not a folder";
  expect(warned).toEqual([["a finished chunk is not used or not kept", { jobId: "job-1", reason }]]);
});

it("removes what nobody went on with, once an hour", async () => {
  const directory = scratchDir();
  const nowMs = Date.now();
  await jobsIn(directory).open(JOB).save(KEY, CHUNK);
  const paths = [join(directory, SPEECH, "000000.chunk"), join(directory, SPEECH), join(directory, "seeds", "x")];
  await mkdir(join(directory, "seeds"));
  await writeFile(paths[2] ?? "", "1\n");
  const at = new Date(nowMs - 3 * DAY_MS - 1000);
  for (const path of paths) await utimes(path, at, at);
  let clockMs = nowMs - DAY_MS;
  const jobs = jobsIn(directory, { now: () => clockMs });
  jobs.open(JOB);
  clockMs = nowMs - DAY_MS + 3_599_000;
  jobs.open(JOB);
  expect(await readdir(directory)).toEqual([SPEECH, "seeds"]);
  clockMs = nowMs;
  jobs.open(JOB);
  await expect.poll(() => readdir(directory)).toEqual(["seeds"]);
  await expect.poll(() => readdir(join(directory, "seeds"))).toEqual([]);
});
