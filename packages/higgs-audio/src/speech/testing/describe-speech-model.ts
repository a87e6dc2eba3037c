import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { concatenateSamples } from "@higgs-worker/base";
import type { ChunkKey, ChunkStore, StoredChunk } from "../../resume/stored-chunk.ts";
import type { LoadSpeechModelOptions } from "../load-speech-model.ts";
import { clipSamples } from "../../voices/clip-samples.ts";
import { SpeechMemory } from "../earlier-speech.ts";
import type { SpeakOptions, SpeechModel, SpeechResult } from "../types.ts";
import { collectProgress, demoOptions, isSame, speechRequest } from "./demo-model.ts";

const TWO_CHUNKS = {
  transcript: "The sun is warm. The sky is blue.",
  chunkMethod: "word",
  chunkMaxWordNum: 4,
  maxNewTokens: 40,
} as const;

const FIVE_CHUNKS = {
  ...TWO_CHUNKS,
  transcript: "The sun is warm. The sky is blue. ".repeat(2) + "We sing a song.",
  seed: 3,
};

/** A store in memory; `saved` are the places of its chunks. */
function memoryStore(): ChunkStore & { readonly saved: () => number[] } {
  const chunks = new Map<string, StoredChunk>();
  const places: number[] = [];
  const name = ({ speech, index, after }: ChunkKey) => `${speech} ${index} ${after}`;
  return {
    load: async (key) => chunks.get(name(key)) ?? null,
    save: async (key, chunk) => {
      chunks.set(name(key), chunk);
      places.push(key.index);
    },
    saved: () => places,
  };
}

/** What every host of a model guarantees, independent of where the engine runs. */
export function describeSpeechModel(
  hostName: string,
  start: (options: LoadSpeechModelOptions) => Promise<SpeechModel>,
): void {
  describe(`a speech model, ${hostName}`, () => {
    let model: SpeechModel;
    // Of its own, so that no clip was encoded before.
    const cacheDir = mkdtempSync(join(tmpdir(), "higgs-speech-model-"));
    beforeAll(async () => {
      model = await start(demoOptions({ cacheDir }));
    });
    afterAll(async () => {
      await model[Symbol.asyncDispose]();
      rmSync(cacheDir, { recursive: true, force: true });
    });

    it("says what it is", () => {
      expect(model.sampleRateHz).toBe(24_000);
      expect(model.name).not.toBe("");
      expect(model.info).toMatchObject({
        layout: "native",
        modelPath: demoOptions().modelPath,
        device: expect.stringContaining("CPU"),
        weights: "bf16",
        contextLength: demoOptions().contextLength,
      });
      expect(model.info.loadMs).toBeGreaterThan(0);
      expect(model.info.modelBytes).toBeGreaterThan(1e6);
    });

    it("gives the same audio for the same seed, and facts about it", async () => {
      const first = await model.speak(speechRequest());
      const again = await model.speak(speechRequest());
      expect(first.pcm).toBeInstanceOf(Float32Array);
      expect(first.pcm).toHaveLength(11 * 960);
      expect(first.audioFrames).toBe(11);
      expect(first.codes).toHaveLength(8);
      expect(first.text).toBe("The sun is warm and the sky is blue.");
      expect(first.warnings).toEqual([expect.stringContaining("cut off")]);
      expect(again.codes).toEqual(first.codes);
      expect(isSame(again.pcm, first.pcm)).toBe(true);
    });

    it("needs nothing but a transcript, and tells the seed that it drew", async () => {
      const first = await model.speak({ transcript: "The sun is warm." });
      const again = await model.speak({ transcript: "The sun is warm.", seed: first.seed });
      expect(first.audioFrames).toBeGreaterThan(0);
      expect(again.codes).toEqual(first.codes);
      const other = await model.speak({ transcript: "The sun is warm." });
      expect(other.seed).not.toBe(first.seed);
    });

    it("reports progress and gives the audio in parts, in order", async () => {
      const { progress, onProgress } = collectProgress();
      const parts: Float32Array[] = [];
      const request = speechRequest(TWO_CHUNKS);
      const result = await model.speak(request, { onProgress, onAudio: (pcm) => void parts.push(pcm) });
      expect(progress.length).toBeGreaterThan(4);
      expect(progress.map(({ audioSeconds }) => audioSeconds)).toEqual(
        progress.map(({ audioSeconds }) => audioSeconds).toSorted((a, b) => a - b),
      );
      expect(new Set(progress.map(({ chunkIndex, chunkCount }) => `${chunkIndex}/${chunkCount}`))).toEqual(
        new Set(["0/2", "1/2"]),
      );
      expect(parts.length).toBeGreaterThan(1);
      expect(result.pcm).toHaveLength(0);
      expect(parts.reduce((sum, { length }) => sum + length, 0)).toBe(result.audioFrames * 960);
    });

    it("goes on from what was spoken before as if it were one request", async () => {
      const whole = await model.speak(speechRequest({ ...TWO_CHUNKS, normalize: false, seed: 5 }));
      const memory = new SpeechMemory({ contextLength: 400 });
      const one = { maxNewTokens: 40, normalize: false, seed: 5 };
      const first = await model.speak(speechRequest({ ...one, transcript: "The sun is warm.", earlier: null }));
      expect(memory.earlier).toBeNull();
      memory.add(first);
      // The last chunk of a paragraph ends with its blank line (spec model §6.1).
      const transcript = "The sky is blue.\n\n";
      const second = await model.speak(speechRequest({ ...one, transcript, earlier: memory.earlier }));
      const alone = await model.speak(speechRequest({ ...one, transcript }));
      const codesOf = (result: SpeechResult) => result.codes.map((row) => [...row]);
      expect(codesOf(second)).not.toEqual(codesOf(alone));
      expect(whole.chunkCount).toBe(2);
      expect(codesOf(whole)).toEqual(codesOf(first).map((row, k) => [...row, ...(codesOf(second)[k] ?? [])]));
    });

    it.each(["early", "exact"] as const)(
      "goes on behind the chunks that a store has, with %s parts",
      async (audioParts) => {
        const request = speechRequest(FIVE_CHUNKS);
        const store = memoryStore();
        const { progress, onProgress } = collectProgress();
        const killed = new AbortController();
        const speaking = model.speak(request, {
          chunkStore: store,
          signal: killed.signal,
          onProgress: ({ chunkIndex }) => {
            if (chunkIndex === 3) killed.abort();
          },
        });
        await expect(speaking).rejects.toMatchObject({ code: "CANCELLED" });
        expect(store.saved()).toEqual([0, 1, 2]);
        const listen = async (options: SpeakOptions) => {
          const parts: Float32Array[] = [];
          const result = await model.speak(request, { audioParts, onAudio: (pcm) => void parts.push(pcm), ...options });
          return { result, pcm: concatenateSamples(parts) };
        };
        const resumed = await listen({ chunkStore: store, onProgress });
        const whole = await listen({});
        expect([resumed.result.resumedChunks, whole.result.resumedChunks]).toEqual([3, 0]);
        expect(store.saved()).toEqual([0, 1, 2, 3, 4]);
        expect(resumed.result.codes).toEqual(whole.result.codes);
        expect(resumed.result.chunks).toEqual(whole.result.chunks);
        expect(resumed.result.warnings).toEqual(whole.result.warnings);
        // Early parts are equal up to the order of float additions.
        expect(resumed.pcm).toHaveLength(whole.pcm.length);
        expect(audioParts === "early" || isSame(resumed.pcm, whole.pcm)).toBe(true);
        expect(progress.slice(0, 3).map(({ resumedChunks, chunkIndex }) => [resumedChunks, chunkIndex])).toEqual([
          [1, 0],
          [2, 1],
          [3, 2],
        ]);
        // Another seed is other speech.
        const other = await model.speak({ ...request, seed: 9 }, { chunkStore: store });
        expect(other.resumedChunks).toBe(0);
      },
    );

    it("tells the chapters of a text before its audio, and where they begin after it", async () => {
      const news: unknown[] = [];
      const transcript = '[chapter "One"]\nThe sun is warm.\n[chapter "Two"]\nThe sky is blue.';
      const request = speechRequest({ transcript, maxNewTokens: 60, chunkMethod: "sentence" });
      const { chapters, chunks } = await model.speak(request, {
        onOutline: (outline) => void news.push(outline),
        onAudio: () => void news.push("audio"),
      });
      expect([news[0], news[1]]).toEqual([{ chapterTitles: ["One", "Two"] }, "audio"]);
      const second = chunks.findIndex(({ text }) => text.includes("The sky"));
      expect(second).toBeGreaterThan(0);
      expect(chapters).toEqual([
        { title: "One", chunkIndex: 0, startSeconds: chunks[0]?.startSeconds },
        { title: "Two", chunkIndex: second, startSeconds: chunks[second]?.startSeconds },
      ]);
      const plain: unknown[] = [];
      await model.speak(speechRequest(), { onOutline: (outline) => void plain.push(outline) });
      expect(plain).toEqual([]);
    });

    it("keeps nothing of speech that is short", async () => {
      const store = memoryStore();
      await model.speak(speechRequest(TWO_CHUNKS), { chunkStore: store });
      expect(store.saved()).toEqual([]);
    });

    it("speaks requests that overlap, each as if it were alone", async () => {
      const alone = [await model.speak(speechRequest({ seed: 1 })), await model.speak(speechRequest({ seed: 2 }))];
      const together = await Promise.all([1, 2].map((seed) => model.speak(speechRequest({ seed }))));
      expect(together.map(({ codes }) => codes)).toEqual(alone.map(({ codes }) => codes));
    });

    it("an abort ends a request within a few frames, and nothing else", async () => {
      const controller = new AbortController();
      const { progress, onProgress } = collectProgress();
      const speaking = model.speak(speechRequest({ maxNewTokens: 300, transcript: "The sun is warm. ".repeat(20) }), {
        signal: controller.signal,
        onProgress: (item) => {
          onProgress(item);
          controller.abort();
        },
      });
      const other = model.speak(speechRequest());
      await expect(speaking).rejects.toMatchObject({ name: "HiggsError", code: "CANCELLED" });
      expect(progress.at(-1)?.frames).toBeLessThanOrEqual(15);
      expect((await other).audioFrames).toBe(11);
    });

    it("a request that is cancelled already is refused", async () => {
      const { progress, onProgress } = collectProgress();
      const options = { signal: AbortSignal.abort(), onProgress };
      await expect(model.speak(speechRequest(), options)).rejects.toMatchObject({ code: "CANCELLED" });
      expect(progress).toEqual([]);
    });

    it("hears a reference clip, and asks for its samples only once", async () => {
      const { pcm } = await model.speak(speechRequest({ maxNewTokens: 60 }));
      const { hash } = clipSamples(pcm);
      let asked = 0;
      const samples = async () => {
        asked += 1;
        return pcm;
      };
      const clip = { kind: "clip", transcript: "The sun is warm.", hash, samples } as const;
      const plain = await model.speak(speechRequest());
      const [first, again] = [
        await model.speak(speechRequest({ references: [clip] })),
        await model.speak(speechRequest({ references: [clip, clip] })),
      ];
      expect(asked).toBe(1);
      expect(first.referenceCodes).toEqual(["encoder"]);
      expect(again.referenceCodes).toEqual(["memory", "memory"]);
      expect(first.promptTokens).toBeGreaterThan(plain.promptTokens + pcm.length / 960);
      expect(first.codes).not.toEqual(plain.codes);
    });

    it("refuses a clip that is too short, and ends with what its samples throw", async () => {
      const short = { kind: "clip", transcript: "x", ...clipSamples(new Float32Array(50)) } as const;
      const refused = model.speak(speechRequest({ references: [short] }));
      await expect(refused).rejects.toMatchObject({ code: "REFERENCE_INVALID" });
      const lost = new Error("the file is gone");
      const clip = { kind: "clip", transcript: "x", hash: "no such", samples: () => Promise.reject(lost) } as const;
      await expect(model.speak(speechRequest({ references: [clip] }))).rejects.toBe(lost);
      expect((await model.speak(speechRequest())).audioFrames).toBe(11);
    });

    it("encodes for requests that overlap, one of which is cancelled meanwhile", async () => {
      const pcm = Float32Array.from({ length: 24_000 }, (_, index) => 0.3 * Math.sin(index / 20));
      const clip = { kind: "clip", transcript: "x", ...clipSamples(pcm) } as const;
      const controller = new AbortController();
      const samples = async () => {
        controller.abort();
        return pcm;
      };
      const [cancelled, ...others] = await Promise.allSettled([
        model.speak(speechRequest({ references: [{ ...clip, samples }] }), { signal: controller.signal }),
        model.speak(speechRequest({ references: [clip] })),
        model.speak(speechRequest({ references: [clip] })),
      ]);
      expect(cancelled).toMatchObject({ status: "rejected", reason: { code: "CANCELLED" } });
      expect(others).toMatchObject([{ status: "fulfilled" }, { status: "fulfilled" }]);
    });

    it("throws errors of the registry, with their problems", async () => {
      const failing = model.speak(speechRequest({ transcript: "Hello <|eot_id|> world." }));
      await expect(failing).rejects.toMatchObject({
        name: "HiggsError",
        code: "INVALID_INPUT",
        message: expect.stringMatching(/^Cannot /),
        problems: expect.any(Array),
        definition: { httpStatus: 400 },
      });
    });

    it("a listener that throws ends its request with that error", async () => {
      const broken = new Error("the listener is gone");
      const onProgress = () => {
        throw broken;
      };
      await expect(model.speak(speechRequest({ maxNewTokens: 200 }), { onProgress })).rejects.toBe(broken);
      expect((await model.speak(speechRequest())).audioFrames).toBe(11);
    });

    it("a model that is not there is not loaded", async () => {
      const modelPath = "/nowhere/at/all";
      await expect(start(demoOptions({ modelPath }))).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    });

    it("a start that is cancelled ends", async () => {
      const signal = AbortSignal.abort();
      await expect(start(demoOptions({ signal }))).rejects.toMatchObject({ code: "CANCELLED" });
    });

    it("disposal waits for what runs, may be repeated, and ends the model", async () => {
      const other = await start(demoOptions());
      const events: string[] = [];
      const speaking = other.speak(speechRequest()).then(() => events.push("speech"));
      await Promise.all([speaking, other[Symbol.asyncDispose]().then(() => events.push("disposal"))]);
      await other[Symbol.asyncDispose]();
      expect(events).toEqual(["speech", "disposal"]);
      await expect(other.speak(speechRequest())).rejects.toMatchObject({ code: "INTERNAL" });
    });
  });
}
