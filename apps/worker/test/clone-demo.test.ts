import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { SpeechModel, SpeechRequest, SpeechResult } from "@higgs-worker/higgs-audio";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../src/config/load.ts";
import { parseJob } from "../src/job/parse-input.ts";
import { runSpeechJob } from "../src/job/run-speech-job.ts";
import { silentLogger } from "../src/logging/logger.ts";
import { loadSpeechModel } from "../src/model/load-model.ts";
import { findModel } from "../src/model/locations.ts";
import { createReferenceServices } from "../src/references/voices.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

/** Cloning and dialogue with the real engine: job, reference, codec encoder, demo checkpoint, codec decoder. */

const VOICES = join(import.meta.dirname, "../../../demo-checkpoint/voices");
const file = readFileSync(join(VOICES, "slt.wav"));
const transcript = readFileSync(join(VOICES, "slt.txt"), "utf8").trim();
const TEXT = "The sun is warm and the sky is blue.";
const DIALOGUE = "[SPEAKER0] I have a small question.\n[SPEAKER1] The sky is blue.\n[SPEAKER0] She gave me a book.";

const cacheDir = mkdtempSync(join(tmpdir(), "higgs-clone-"));
const { config } = loadConfig({
  HIGGS_VOLUME_DIR: "/nowhere",
  HOME: "/dev/null/nowhere",
  HIGGS_DEVICE: "cpu",
  HIGGS_THREADS: "1",
  HIGGS_CACHE_DIR: cacheDir,
});
const references = createReferenceServices(config, { fetch: { allowLoopback: true } });
const found = findModel(config, { allowDemo: true });
const load = () => loadSpeechModel(found, config, { logger: silentLogger });

let model: SpeechModel;
beforeAll(async () => {
  model = await load();
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  rmSync(cacheDir, { recursive: true, force: true });
});

interface Spoken {
  readonly request: SpeechRequest;
  readonly result: SpeechResult;
}

/** Runs a job and keeps what the model was asked and what it gave. */
async function speak(fields: Record<string, unknown>, speaker: SpeechModel = model) {
  const spoken: Spoken[] = [];
  const watched: SpeechModel = {
    name: speaker.name,
    sampleRateHz: speaker.sampleRateHz,
    info: speaker.info,
    slots: speaker.slots,
    speak: async (request, options) => {
      const result = await speaker.speak(request, options);
      spoken.push({ request, result });
      return result;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const services = { config, logger: silentLogger, model: async () => watched, references };
  const input = { transcript: TEXT, temperature: 0.3, seed: 11, max_new_tokens: 200, allow_truncated: true, ...fields };
  const { output } = await runSpeechJob(parseJob({ id: "clone", input }, config), services);
  const [only] = spoken;
  if (only === undefined) throw new Error("nothing was spoken");
  return { output, ...only };
}

const codesHash = ({ result }: Spoken) =>
  createHash("sha256")
    .update(JSON.stringify(result.codes.map((row) => [...row])))
    .digest("hex");

async function serveVoice(): Promise<string> {
  const server = createServer((_, response) => response.end(file));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/slt.wav`;
}

describe("cloning with the demo checkpoint", () => {
  it("one seed gives the same codes and audio by name, by address, by data address and by base64", async () => {
    const audio_base64 = file.toString("base64");
    const byName = await speak({ ref_audio: "slt" });
    expect(byName.output.metadata.voice_clone).toBe("slt");
    expect(byName.output.warnings).toEqual([]);
    for (const clip of [
      { url: await serveVoice(), transcript },
      { url: `data:audio/wav;base64,${audio_base64}`, transcript },
      { audio_base64, transcript },
    ]) {
      const other = await speak({ ref_audio: clip });
      expect(codesHash(other)).toBe(codesHash(byName));
      expect(other.output.sha256).toBe(byName.output.sha256);
    }
    const without = await speak({});
    expect(without.output.sha256).not.toBe(byName.output.sha256);
    expect(byName.output.usage.prompt_tokens).toBeGreaterThan(without.output.usage.prompt_tokens + 86);
  });

  it("encodes a clip once: then it is in memory, and for another model on disk", async () => {
    const first = await speak({ ref_audio: "awb" });
    expect(first.result.referenceCodes).toEqual(["encoder"]);
    expect((await speak({ ref_audio: "awb" })).result.referenceCodes).toEqual(["memory"]);
    const other = await load();
    onTestFinished(async () => await other[Symbol.asyncDispose]());
    const again = await speak({ ref_audio: "awb" }, other);
    expect(again.result.referenceCodes).toEqual(["disk"]);
    expect(again.output.sha256).toBe(first.output.sha256);
  });

  it("references stand in turns or in the system message", async () => {
    const inTurns = await speak({ ref_audio: "rms" });
    const inSystem = await speak({ ref_audio: "rms", ref_audio_in_system_message: true });
    expect(inSystem.output.sha256).not.toBe(inTurns.output.sha256);
    expect(inSystem.request.referencesInSystemMessage).toBe(true);
    expect(inSystem.output.usage.prompt_tokens).toBeGreaterThan(102);
    const described = await speak({ ref_audio: "rms,profile:male_en" });
    expect(described.output.metadata.voice_clone).toBe("rms,profile:male_en");
  });
});

describe("dialogue with the demo checkpoint", () => {
  it("speaks each turn as a chunk, with one voice a speaker", async () => {
    const { output, request, result } = await speak({
      transcript: DIALOGUE,
      ref_audio: "slt,rms",
      chunk_method: "speaker",
    });
    expect(result.chunkCount).toBe(3);
    expect(request.references?.map(({ kind }) => kind)).toEqual(["clip", "clip"]);
    expect(output.metadata.voice_clone).toBe("slt,rms");
    expect(output.duration_seconds).toBeCloseTo(output.usage.audio_frames / 25, 5);
    expect(result.pcm).toHaveLength(output.usage.audio_frames * 960);
    expect(result.codes[0]).toHaveLength(output.usage.audio_frames);
  });

  it("lets the model choose voices when there are none", async () => {
    const { output, result, request } = await speak({ transcript: DIALOGUE, chunk_method: "speaker" });
    expect(result.chunkCount).toBe(3);
    expect(request.references).toEqual([]);
    expect(output.metadata.voice_clone).toBeNull();
  });

  it("joins turns to a chunk, and carries as much of the conversation as the buffer holds", async () => {
    const fields = { transcript: DIALOGUE, ref_audio: "slt,rms", chunk_method: "speaker" };
    const joined = await speak({ ...fields, chunk_max_num_turns: 2 });
    expect(joined.result.chunkCount).toBe(2);
    const all = await speak(fields);
    const one = await speak({ ...fields, generation_chunk_buffer_size: 1 });
    // The first two chunks see the same; the third sees one chunk less.
    expect(one.output.usage.prompt_tokens).toBeLessThan(all.output.usage.prompt_tokens);
    const both = Math.min(one.result.codes[0]?.length ?? 0, all.result.codes[0]?.length ?? 0);
    const beginning = (spoken: Spoken) => spoken.result.codes.map((row) => row.slice(0, 25));
    expect(both).toBeGreaterThan(25);
    expect(beginning(one)).toEqual(beginning(all));
  });

  it("the same dialogue and seed are the same audio", async () => {
    const fields = { transcript: DIALOGUE, ref_audio: "kal,awb", chunk_method: "speaker", seed: 3 };
    const [a, b] = [await speak(fields), await speak(fields)];
    expect(b.output.sha256).toBe(a.output.sha256);
  });
});
