import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ChunkRandom,
  type CodebookConfig,
  ColumnGenerator,
  type ColumnGeneratorOptions,
  DEFAULT_SAMPLING,
  Sampler,
} from "@higgs-worker/higgs-audio/parts";
import { NativeColumnRules } from "./column-rules.ts";
import { CODEBOOKS, rowsOf, scriptedLogits, smallCodebooks, uniformsOf } from "./testing/scripted-logits.ts";
import { slowNativeSegment } from "./testing/slow-columns.ts";

const GREEDY = { temperature: 0, topK: 0, topP: 1, rasWinLen: 0, rasWinMaxNumRepeat: 0 };

function generatorFor(config: CodebookConfig, options: Partial<ColumnGeneratorOptions> = {}) {
  return new ColumnGenerator(config, {
    rules: new NativeColumnRules(config),
    sampling: GREEDY,
    maxColumns: 60,
    sampler: new Sampler(config.idsPerCodebook),
    uniforms: uniformsOf(() => 0),
    columnsBefore: new Int32Array(0),
    ...options,
  });
}

/** Feeds `pick(column, codebook)` until the segment ends. */
function run(generator: ColumnGenerator, config: CodebookConfig, pick: (column: number, codebook: number) => number) {
  while (generator.finished === null) {
    const column = generator.columnCount;
    generator.step(
      scriptedLogits(
        config,
        Array.from({ length: config.numCodebooks }, (_, k) => pick(column, k)),
      ),
    );
  }
  return generator;
}

/** `frames[frame][codebook]` */
function framesOf(generator: ColumnGenerator): number[][] {
  const rows = generator.frames();
  return Array.from({ length: rows[0]?.length ?? 0 }, (_, frame) => rows.map((row) => row[frame] ?? -1));
}

describe("the tables of spec model §7", () => {
  it("ramps up and down as the native illustration", () => {
    const config = { numCodebooks: 3, idsPerCodebook: 1026, audioStreamBosId: 1024, audioStreamEosId: 1025 };
    const generator = generatorFor(config);
    run(generator, config, (column, codebook) => (column === 5 && codebook === 1 ? 1025 : 100 * codebook + column));
    const [B, E] = [1024, 1025];
    expect(rowsOf(generator.columns(), 3)).toEqual([
      [B, 1, 2, 3, 4, 5, E, E, E],
      [B, B, 102, 103, 104, E, 106, E, E],
      [B, B, B, 203, 204, 205, 206, 207, E],
    ]);
    expect(framesOf(generator).at(-1)).toEqual([5, 106, 207]);
  });

  it.each<[string, (column: number, codebook: number) => boolean, number, boolean]>([
    ["codebook 0, then all others in turn", (column, codebook) => column === 20 + codebook, 19, false],
    ["codebook 0 only", (column, codebook) => column === 20 && codebook === 0, 20, true],
    ["codebook 3", (column, codebook) => column === 20 && codebook === 3, 20, false],
    ["codebook 7", (column, codebook) => column === 20 && codebook === 7, 20, false],
  ])(
    "keeps the frames of the table of spec model §7.5: first EOS at column 20 in %s",
    (_name, isEos, count, endsWithEos) => {
      const pick = (column: number, codebook: number) => (isEos(column, codebook) ? 1025 : 10 * codebook + column);
      const frames = framesOf(run(generatorFor(CODEBOOKS), CODEBOOKS, pick));
      expect(frames).toHaveLength(count);
      expect(frames.at(-1)?.[0] === 1023).toBe(endsWithEos);
    },
  );

  it.each([1, 2, 8, 9, 10, 30])("keeps C − 8 of %i columns when the length stops it", (maxColumns) => {
    const generator = run(generatorFor(CODEBOOKS, { maxColumns }), CODEBOOKS, (column, codebook) => column + codebook);
    expect(generator.finished).toBe("length");
    expect(generator.columnCount).toBe(maxColumns);
    expect(framesOf(generator)).toHaveLength(Math.max(0, maxColumns - 8));
  });
});

/** Scripts for 1 … 5 codebooks in which BOS and EOS are not rare. */
const scripts = fc
  .record({
    numCodebooks: fc.integer({ min: 1, max: 5 }),
    limit: fc.integer({ min: 1, max: 24 }),
    rarity: fc.constantFrom(1, 4, 12),
  })
  .chain(({ numCodebooks, limit, rarity }) =>
    fc.record({
      config: fc.constant(smallCodebooks(numCodebooks)),
      limit: fc.constant(limit),
      candidates: fc.array(
        fc.array(
          fc.oneof(
            { arbitrary: fc.nat(9), weight: 6 * rarity },
            { arbitrary: fc.constant(10), weight: 1 },
            { arbitrary: fc.constant(11), weight: 1 },
          ),
          { minLength: numCodebooks, maxLength: numCodebooks },
        ),
        { minLength: limit, maxLength: limit },
      ),
    }),
  );

describe("ColumnGenerator with the native rules", () => {
  it("makes the columns and frames of the closed formulas", () => {
    fc.assert(
      fc.property(scripts, ({ config, limit, candidates }) => {
        const expected = slowNativeSegment(candidates, limit, config);
        const generator = generatorFor(config, { maxColumns: limit });
        run(generator, config, (column, codebook) => candidates[column]?.[codebook] ?? 0);
        expect(rowsOf(generator.columns(), config.numCodebooks)).toEqual(
          rowsOf(Int32Array.from(expected.columns.flat()), config.numCodebooks),
        );
        expect(framesOf(generator)).toEqual(expected.frames);
      }),
      { numRuns: 600 },
    );
  });

  it("streams exactly the frames of the whole", () => {
    fc.assert(
      fc.property(scripts, fc.integer({ min: 1, max: 4 }), ({ config, limit, candidates }, stride) => {
        const generator = generatorFor(config, { maxColumns: limit });
        const streamed = Array.from({ length: config.numCodebooks }, (): number[] => []);
        let read = 0;
        const readMore = () => {
          expect(generator.availableFrames).toBeGreaterThanOrEqual(read);
          const rows = generator.frames(read, generator.availableFrames);
          rows.forEach((row, codebook) => streamed[codebook]?.push(...row));
          read = generator.availableFrames;
        };
        while (generator.finished === null) {
          generator.step(scriptedLogits(config, candidates[generator.columnCount] ?? []));
          if (generator.columnCount % stride === 0) readMore();
        }
        readMore();
        expect(streamed).toEqual(generator.frames().map((row) => [...row]));
      }),
      { numRuns: 400 },
    );
  });

  it("gives a seed the same columns alone and beside others that share its sampler", () => {
    const logits = (sequence: number, column: number) =>
      Float32Array.from({ length: 8 * 1026 }, (_, i) => 6 * Math.sin(i * 12.9898 + column * 78.233 + sequence * 3.7));
    const sampler = new Sampler(1026);
    const create = (seed: number) =>
      generatorFor(CODEBOOKS, { sampling: DEFAULT_SAMPLING, sampler, uniforms: new ChunkRandom(seed, 0) });
    const alone = [5, 6, 7].map((seed, sequence) => {
      const generator = create(seed);
      while (generator.finished === null) generator.step(logits(sequence, generator.columnCount));
      return generator.columns();
    });
    const together = [5, 6, 7].map(create);
    while (together.some((generator) => generator.finished === null)) {
      together.forEach((generator, sequence) => {
        if (generator.finished === null) generator.step(logits(sequence, generator.columnCount));
      });
    }
    expect(together.map((generator) => generator.columns())).toEqual(alone);
    expect(alone[0]).not.toEqual(alone[1]);
  });

  it("reads logits from an offset and copies the last column to one", () => {
    const config = smallCodebooks(2);
    const generator = generatorFor(config);
    const logits = new Float32Array(5 + 24).fill(99);
    logits.set(scriptedLogits(config, [4, 7]), 5);
    generator.step(logits, 5);
    generator.step(logits, 5);
    const target = new Int32Array(5);
    generator.copyLastColumn(target, 2);
    expect([...target]).toEqual([0, 0, 4, 7, 0]);
  });

  it("refuses steps after the end, and frames that are not there", () => {
    const internal = expect.objectContaining({ code: "INTERNAL" });
    const generator = generatorFor(CODEBOOKS, { maxColumns: 20 });
    run(generator, CODEBOOKS, () => 1);
    expect(() => generator.step(new Float32Array(8 * 1026))).toThrow(internal);
    expect(() => generator.frames(0, generator.availableFrames + 1)).toThrow(internal);
  });
});
