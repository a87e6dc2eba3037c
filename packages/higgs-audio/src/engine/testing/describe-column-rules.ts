import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CodebookConfig } from "../codebook-config.ts";
import { ColumnGenerator, type ColumnGeneratorOptions } from "../column-generator.ts";
import type { ColumnRules } from "../column-rules.ts";
import { DEFAULT_SAMPLING } from "../generation-options.ts";
import { ChunkRandom } from "../rng.ts";
import { Sampler } from "../sampling/sampler.ts";
import { CODEBOOKS, rowsOf, scriptedLogits, smallCodebooks, uniformsOf } from "./scripted-logits.ts";
import type { SlowSegment } from "./slow-columns.ts";

const GREEDY = { temperature: 0, topK: 0, topP: 1, rasWinLen: 0, rasWinMaxNumRepeat: 0 };

/** A greedy one of up to 60 columns, unless the options say otherwise. */
export function createColumnGenerator(
  config: CodebookConfig,
  options: Partial<ColumnGeneratorOptions> = {},
): ColumnGenerator {
  return new ColumnGenerator(config, {
    sampling: GREEDY,
    maxColumns: 60,
    sampler: new Sampler(config.idsPerCodebook),
    uniforms: uniformsOf(() => 0),
    columnsBefore: new Int32Array(0),
    ...options,
  });
}

/** Feeds `pick(column, codebook)` until the segment ends. */
export function runColumns(
  generator: ColumnGenerator,
  config: CodebookConfig,
  pick: (column: number, codebook: number) => number,
) {
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
export function framesOf(generator: ColumnGenerator): number[][] {
  const rows = generator.frames();
  return Array.from({ length: rows[0]?.length ?? 0 }, (_, frame) => rows.map((row) => row[frame] ?? -1));
}

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

/**
 * What holds for a `ColumnGenerator` under any rules, as tests.
 *
 * @param slowSegment what must come of `candidates[column][codebook]` (index 0 is not used) within a limit of columns
 */
export function describeColumnRules(
  name: string,
  createRules: (config: CodebookConfig) => ColumnRules,
  slowSegment: (candidates: readonly number[][], limit: number, config: CodebookConfig) => SlowSegment,
): void {
  const generatorFor = (config: CodebookConfig, options: Partial<ColumnGeneratorOptions> = {}) =>
    createColumnGenerator(config, { rules: createRules(config), ...options });

  describe(`ColumnGenerator with ${name}`, () => {
    it("makes the columns and frames of the closed formulas", () => {
      fc.assert(
        fc.property(scripts, ({ config, limit, candidates }) => {
          const expected = slowSegment(candidates, limit, config);
          const generator = generatorFor(config, { maxColumns: limit });
          runColumns(generator, config, (column, codebook) => candidates[column]?.[codebook] ?? 0);
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
      runColumns(generator, CODEBOOKS, () => 1);
      expect(() => generator.step(new Float32Array(8 * 1026))).toThrow(internal);
      expect(() => generator.frames(0, generator.availableFrames + 1)).toThrow(internal);
    });
  });
}
