import { describe, expect, it, vi } from "vitest";
import type { LanguageModel } from "../model/language-model.ts";
import { OracleModel } from "../model/testing/oracle-model.ts";
import type { SeededWeightSource } from "../model/testing/seeded-weight-source.ts";
import { loadSmallModel, makePrompt, SMALL_SHAPES } from "../model/testing/small-models.ts";
import { ColumnGenerator } from "./column-generator.ts";
import { ChunkRandom } from "./rng.ts";
import { Sampler } from "./sampling/sampler.ts";
import { Scheduler } from "./scheduler.ts";
import type { GeneratedSequence, SequenceListeners, SequenceRequest } from "./sequence.ts";

/** Four codebooks of 32 codes, BOS and EOS. */
const CONFIG = SMALL_SHAPES["rows of 32"];
const { numCodebooks: CODEBOOKS, hiddenSize: WIDTH } = CONFIG;
const GREEDY = { temperature: 0, topK: 0, topP: 1, rasWinLen: 0, rasWinMaxNumRepeat: 0 };
const SAMPLED = { temperature: 1, topK: 10, topP: 0.95, rasWinLen: 7, rasWinMaxNumRepeat: 2 };

/** Logits of EOS that are always 0: under greedy decoding one of the many others is larger, and the model never ends. */
function silenceEos(name: string, values: Float32Array): void {
  if (name !== "audio_output.weight") return;
  for (let k = 0; k < CODEBOOKS; k++) {
    const row = k * CONFIG.idsPerCodebook + CONFIG.audioStreamEosId;
    values.fill(0, row * WIDTH, (row + 1) * WIDTH);
  }
}

function loadEndless(options: { slots?: number; contextLength?: number } = {}) {
  return loadSmallModel({ config: CONFIG, ...options, weights: { change: silenceEos } });
}

function requestOf(overrides: Partial<SequenceRequest> & { readonly runs?: string; readonly seed?: number } = {}) {
  const { runs = "T6 A3 T2", seed = 5, ...rest } = overrides;
  return {
    sampling: SAMPLED,
    maxColumns: 40,
    prompt: makePrompt(CONFIG, runs),
    columnsBefore: new Int32Array(0),
    uniforms: new ChunkRandom(seed, 0),
    ...rest,
  } satisfies SequenceRequest;
}

/** One sequence by a scheduler of its own. */
function generate(
  model: LanguageModel,
  request: SequenceRequest,
  listeners?: SequenceListeners,
): Promise<GeneratedSequence> {
  return new Scheduler(model).generate(request, listeners);
}

/** The same sequence with the logits of the Float64 model. */
async function generateByOracle(source: SeededWeightSource, request: SequenceRequest) {
  const model = await OracleModel.read(source);
  const sequence = model.begin();
  await sequence.feedPrompt(request.prompt);
  const generator = new ColumnGenerator(CONFIG, { ...request, sampler: new Sampler(CONFIG.idsPerCodebook) });
  const column = new Int32Array(CODEBOOKS);
  while (generator.finished === null) {
    generator.copyLastColumn(column);
    generator.step(Float32Array.from(model.logits(sequence.feedColumn(column).norm)));
  }
  return { columns: generator.columns(), codes: generator.frames(), finished: generator.finished };
}

/** Counts decode steps, and the graphs that took them. */
function watchSteps(model: LanguageModel) {
  const spy = vi.spyOn(model, "decodeGraph");
  return {
    get count() {
      return spy.mock.results.length;
    },
    get graphs() {
      return new Set(spy.mock.results.map(({ value }) => value as ReturnType<LanguageModel["decodeGraph"]>));
    },
  };
}

describe("a sequence", () => {
  it("makes the columns that the oracle makes, however the sequence ends", async () => {
    const { model, source } = await loadSmallModel({ config: CONFIG });
    const ends = new Set<string>();
    for (let seed = 0; seed < 8; seed++) {
      const request = requestOf({ seed, maxColumns: 20 });
      const { columns, codes, finished } = await generate(model, request);
      expect({ columns, codes, finished }).toEqual(await generateByOracle(source, request));
      ends.add(finished);
    }
    expect([...ends].sort()).toEqual(["eos", "length"]);
  });

  it("reports frames as they become certain, each once, and all of them", async () => {
    const { model } = await loadEndless();
    const reported: number[][] = [];
    let next = 0;
    const { codes } = await generate(model, requestOf({ sampling: GREEDY }), {
      onFrames: ({ first, end, generator }) => {
        expect(first).toBe(next);
        expect(end).toBeGreaterThan(first);
        next = end;
        reported.push(...transpose(generator.frames(first, end)));
      },
    });
    // C columns are C − (codebooks + 1) frames.
    expect(reported).toHaveLength(40 - CODEBOOKS - 1);
    expect(reported).toEqual(transpose(codes));
  });

  it("one seed gives the same codes in slot 0 of one and in slot 1 of two", async () => {
    const one = await loadSmallModel({ config: CONFIG });
    const two = await loadSmallModel({ config: CONFIG, slots: 2 });
    for (const seed of [3, 4, 7]) {
      const alone = await generate(one.model, requestOf({ seed }));
      const scheduler = new Scheduler(two.model);
      const [, beside] = await Promise.all([
        scheduler.generate(requestOf({ seed: 1, runs: "T20" })),
        scheduler.generate(requestOf({ seed })),
      ]);
      expect(beside.codes).toEqual(alone.codes);
    }
  });

  it("another seed, or another prompt, gives other codes", async () => {
    const { model } = await loadEndless();
    const { codes } = await generate(model, requestOf());
    expect((await generate(model, requestOf({ seed: 6 }))).codes).not.toEqual(codes);
    expect((await generate(model, requestOf({ runs: "T7 A3 T2" }))).codes).not.toEqual(codes);
    expect((await generate(model, requestOf())).codes).toEqual(codes);
  });

  it("fails with GENERATION_FAILED when logits are not finite, and the next sequence is as good as ever", async () => {
    const { model } = await loadSmallModel({
      config: CONFIG,
      contextLength: 160,
      // Text id 0 has an embedding of NaN.
      weights: { change: (name, values) => name === "token_embd.weight" && values.fill(Number.NaN, 0, WIDTH) },
    });
    const healthy = requestOf({ runs: "A70" });
    const before = await generate(model, healthy);
    const broken = { ...makePrompt(CONFIG, "T110"), textIds: new Int32Array(110) };
    for (const sampling of [GREEDY, SAMPLED]) {
      const failing = generate(model, requestOf({ prompt: broken, sampling }));
      await expect(failing).rejects.toMatchObject({ code: "GENERATION_FAILED" });
      expect((await generate(model, healthy)).codes).toEqual(before.codes);
    }
  });
});

describe("the room for a sequence", () => {
  it("is full at the last position: one row more is CONTEXT_OVERFLOW", async () => {
    const { model } = await loadEndless({ contextLength: 64 });
    // One frame needs codebooks + 2 columns.
    const fewest = CODEBOOKS + 2;
    const fits = await generate(model, requestOf({ sampling: GREEDY, runs: `T${64 - fewest}` }));
    expect(fits.columnLimit).toBe(fewest);
    expect(fits.codes.map((row) => row.length)).toEqual(Array.from({ length: CODEBOOKS }, () => 1));
    await expect(generate(model, requestOf({ runs: `T${64 - fewest + 1}` }))).rejects.toMatchObject({
      code: "CONTEXT_OVERFLOW",
      message: expect.stringMatching(/got 59 positions, limit 64/),
    });
  });

  it("limits the columns, as the request does", async () => {
    const { model } = await loadEndless({ contextLength: 64 });
    for (const [rows, maxColumns, limit] of [
      [40, 100, 24],
      [40, 24, 24],
      [40, 23, 23],
    ] as const) {
      const request = requestOf({ sampling: GREEDY, runs: `T${rows}`, maxColumns });
      const { columns, columnLimit, finished } = await generate(model, request);
      expect(columnLimit).toBe(limit);
      expect(columns).toHaveLength(limit * CODEBOOKS);
      expect(finished).toBe("length");
    }
  });

  it("may be too small for a frame when that is all that was asked for", async () => {
    const { model } = await loadEndless({ contextLength: 64 });
    const { codes, columns } = await generate(model, requestOf({ maxColumns: 3, runs: "T61" }));
    expect(columns).toHaveLength(3 * CODEBOOKS);
    expect(codes.every((row) => row.length === 0)).toBe(true);
    await expect(generate(model, requestOf({ maxColumns: 3, runs: "T62" }))).rejects.toMatchObject({
      code: "CONTEXT_OVERFLOW",
    });
  });
});

describe("an abort", () => {
  it("from elsewhere is noticed within one step", async () => {
    const { model } = await loadEndless();
    const steps = watchSteps(model);
    const controller = new AbortController();
    const graph = model.decodeGraph(1);
    const compute = graph.compute.bind(graph);
    let stepsAtAbort = 0;
    vi.spyOn(graph, "compute").mockImplementation(async (logits) => {
      if (steps.count === 8) {
        setImmediate(() => {
          stepsAtAbort = steps.count;
          controller.abort();
        });
        await new Promise(setImmediate);
      }
      await compute(logits);
    });
    const request = requestOf({ sampling: GREEDY });
    const generating = generate(model, request, { signal: controller.signal });
    await expect(generating).rejects.toMatchObject({ code: "CANCELLED" });
    expect(stepsAtAbort).toBe(8);
    expect(steps.count - stepsAtAbort).toBeLessThanOrEqual(1);
  });

  it("stops the prompt between two pieces", async () => {
    const { model } = await loadEndless({ contextLength: 1100 });
    const steps = watchSteps(model);
    const controller = new AbortController();
    const compute = model.prefillPiece.bind(model);
    const pieces = vi.spyOn(model, "prefillPiece").mockImplementation((slot, piece) => {
      if (pieces.mock.calls.length === 2) controller.abort();
      return compute(slot, piece);
    });
    const generating = generate(model, requestOf({ runs: "T1000" }), { signal: controller.signal });
    await expect(generating).rejects.toMatchObject({ code: "CANCELLED" });
    expect(pieces).toHaveBeenCalledTimes(2);
    expect(steps.count).toBe(0);
  });

  it("before the start computes nothing, and none spoils the next sequence", async () => {
    const { model } = await loadEndless();
    const { codes } = await generate(model, requestOf());
    const steps = watchSteps(model);
    const signal = AbortSignal.abort();
    await expect(generate(model, requestOf(), { signal })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(steps.count).toBe(0);
    const controller = new AbortController();
    const onFrames = () => controller.abort();
    const cut = generate(model, requestOf({ runs: "A30" }), { signal: controller.signal, onFrames });
    await expect(cut).rejects.toMatchObject({ code: "CANCELLED" });
    expect((await generate(model, requestOf())).codes).toEqual(codes);
  });
});

describe("ggml's memory", () => {
  it("is not allocated in the loop, and one graph serves all steps of a KV length", async () => {
    const { model, backend } = await loadEndless({ contextLength: 600 });
    const { native } = backend.ggml;
    const allocations = [
      vi.spyOn(native, "init"),
      vi.spyOn(native, "gallocrNew"),
      vi.spyOn(native, "gallocrAllocGraph"),
      vi.spyOn(native, "allocCtxTensors"),
    ];
    const countAllocations = () => allocations.map((spy) => spy.mock.calls.length);
    const steps = watchSteps(model);
    const run = async (runs: string) => {
      const seen: number[][] = [];
      const onFrames = () => void seen.push(countAllocations());
      await generate(model, requestOf({ sampling: GREEDY, runs }), { onFrames });
      return seen;
    };
    const first = await run("T20");
    expect(new Set(first.map(String)).size).toBe(1);
    const scratchBytes = [...steps.graphs].map((graph) => graph.scratchBytes);
    expect(scratchBytes).toHaveLength(1);
    expect(scratchBytes[0]).toBeGreaterThan(0);

    // Later sequences allocate their prompt's graph, and nothing for the loop.
    const before = countAllocations();
    const second = await run("T30 A5");
    expect(new Set(second.map(String)).size).toBe(1);
    expect(countAllocations().map((count, index) => count - (before[index] ?? 0))).toEqual([1, 1, 1, 0]);
    expect([...steps.graphs].map((graph) => graph.scratchBytes)).toEqual(scratchBytes);

    // Over a border between two KV lengths, one graph more.
    await run("T240");
    expect([...steps.graphs].map(({ kvLength }) => kvLength)).toEqual([256, 512]);
    await run("T240");
    expect(steps.graphs.size).toBe(2);
  });
});

function transpose(rows: readonly Int32Array[]): number[][] {
  return Array.from(rows[0] ?? [], (_, frame) => rows.map((row) => row[frame] ?? Number.NaN));
}
