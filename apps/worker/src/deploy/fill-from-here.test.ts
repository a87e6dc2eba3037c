import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { startS3Stub, type S3Stub } from "../testing/s3-stub.ts";
import { scratchDir, writeBelow } from "../testing/scratch.ts";
import { fillFromHere, type FillFromHere } from "./fill-from-here.ts";

const MIB = 1024 * 1024;
const VOLUME = { id: "vol123", name: "models", size: 30, dataCenter: "eu-test-1" };
const TARGET = "higgs_audio/bosonai/model";

/** A model of two parts and a bit, its codec, and files that nobody wants. */
function makeModel(): string {
  const folder = scratchDir();
  writeBelow(folder, "config.json", "{}");
  writeFileSync(join(folder, "model.safetensors"), randomBytes(11 * MIB));
  writeBelow(folder, "codec/config.json", '{"codec": true}');
  writeBelow(folder, ".cache/download.lock", "");
  return folder;
}

async function startVolume() {
  const store = await startS3Stub({ bucket: VOLUME.id });
  const env = {
    RUNPOD_S3_ACCESS_KEY_ID: store.key.accessKeyId,
    RUNPOD_S3_SECRET_ACCESS_KEY: store.key.secretAccessKey,
    RUNPOD_S3_ENDPOINT_URL: store.url,
  };
  const folder = makeModel();
  const lines: string[] = [];
  const fill = (more: Partial<FillFromHere> = {}) =>
    fillFromHere({
      config: loadConfig(env).config,
      volume: VOLUME,
      folders: [{ folder, target: TARGET }],
      isForced: false,
      onLine: async (line) => void lines.push(line),
      signal: new AbortController().signal,
      attempts: { firstRetryMs: 1 },
      partBytes: 5 * MIB,
      ...more,
    });
  return { store, fill, lines, folder };
}

function uploads({ requests }: S3Stub): string[] {
  return requests
    .filter((request) => /^(PUT|POST)/.test(request))
    .map((request) => request.split("/").slice(3).join("/"));
}

it("copies all files, large ones in parts, and config.json last", async () => {
  const { store, fill } = await startVolume();
  expect(await fill()).toMatchObject({ copied: 3, present: 0 });
  expect([...store.objects.keys()].sort()).toEqual(
    ["codec/config.json", "config.json", "model.safetensors"].map((name) => `${TARGET}/${name}`),
  );
  expect(store.multipart.order).toHaveLength(3);
  expect([...store.objects.keys()].at(-1)).toBe(`${TARGET}/config.json`);
  expect(store.objects.get(`${TARGET}/model.safetensors`)?.bytes.byteLength).toBe(11 * MIB);
});

it("leaves alone what is there, unless forced", async () => {
  const { store, fill, lines } = await startVolume();
  await fill();
  const before = uploads(store).length;
  expect(await fill()).toMatchObject({ copied: 0, present: 3 });
  expect(uploads(store)).toHaveLength(before);
  expect(lines.at(-1)).toContain("there already");
  expect(await fill({ isForced: true })).toMatchObject({ copied: 3 });
});

it("goes on behind an interruption, with no parts left at the store", async () => {
  const { store, fill } = await startVolume();
  const controller = new AbortController();
  const onLine = async (line: string) => {
    if (line.includes("model.safetensors")) controller.abort();
  };
  await expect(fill({ signal: controller.signal, onLine })).rejects.toThrow(/abort|cancelled/i);
  expect(store.multipart.uploads.size).toBe(0);
  expect(store.objects.has(`${TARGET}/config.json`)).toBe(false);
  expect(await fill()).toMatchObject({ copied: 2, present: 1 });
});

it("outlasts nine 502 of RunPod's S3 for each request", async () => {
  const { store, fill } = await startVolume();
  const fault = { kind: "status", status: 502 } as const;
  store.questionFaults.push(...Array.from({ length: 9 }, () => fault));
  store.faults.push(...Array.from({ length: 9 }, () => fault));
  store.multipartFaults.push(...Array.from({ length: 9 }, () => fault));
  expect(await fill()).toMatchObject({ copied: 3 });
});

it("gives up at the tenth", async () => {
  const { store, fill } = await startVolume();
  store.faults.push(...Array.from({ length: 99 }, () => ({ kind: "status", status: 502 }) as const));
  await expect(fill()).rejects.toMatchObject({
    code: "STORAGE_FAILED",
    message: expect.stringContaining("10") as string,
  });
});

it("says that the volume is too small before it copies anything", async () => {
  const { store, fill } = await startVolume();
  const folder = scratchDir();
  writeBelow(folder, "config.json", "{}");
  await expect(fill({ volume: { ...VOLUME, size: 0 } })).rejects.toThrow(/too small .*--size/);
  expect(uploads(store)).toEqual([]);
});

it("says which key is missing, and which other way there is", async () => {
  const { fill } = await startVolume();
  const { config } = loadConfig({ RUNPOD_S3_ACCESS_KEY_ID: "user_1" });
  await expect(fill({ config })).rejects.toMatchObject({
    code: "RUNPOD_NOT_CONFIGURED",
    message: expect.stringMatching(/RUNPOD_S3_SECRET_ACCESS_KEY not set.*--pod/) as string,
  });
});

it("a refused key is named, not shown", async () => {
  const { store, fill } = await startVolume();
  const { config } = loadConfig({
    RUNPOD_S3_ACCESS_KEY_ID: "user_1",
    RUNPOD_S3_SECRET_ACCESS_KEY: "rps_SECRET",
    RUNPOD_S3_ENDPOINT_URL: store.url,
  });
  const error: unknown = await fill({ config }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "STORAGE_DENIED" });
  expect(String(error)).not.toContain("rps_SECRET");
});
