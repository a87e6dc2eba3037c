import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ChunkRandom,
  type CodebookConfig,
  ColumnDecoder,
  type ColumnDecoderOptions,
  DEFAULT_SAMPLING,
  Sampler,
} from "@higgs-worker/higgs-audio/parts";
import { NativeColumnRules } from "./column-rules.ts";
import { CODEBOOKS, rowsOf, scriptedLogits, smallCodebooks, uniformsOf } from "./testing/scripted-logits.ts";
import { slowNativeSegment } from "./testing/slow-columns.ts";

const GREEDY = { temperature: 0, topK: 0, topP: 1, rasWinLen: 0, rasWinMaxNumRepeat: 0 };

function decoderFor(config: CodebookConfig, options: Partial<ColumnDecoderOptions> = {}) {
  return new ColumnDecoder(config, {
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
function run(decoder: ColumnDecoder, config: CodebookConfig, pick: (column: number, codebook: number) => number) {
  while (decoder.finished === null) {
    const column = decoder.columnCount;
    decoder.step(
      scriptedLogits(
        config,
        Array.from({ length: config.numCodebooks }, (_, k) => pick(column, k)),
      ),
    );
  }
  return decoder;
}

/** `frames[frame][codebook]` */
function framesOf(decoder: ColumnDecoder): number[][] {
  const rows = decoder.frames();
  return Array.from({ length: rows[0]?.length ?? 0 }, (_, frame) => rows.map((row) => row[frame] ?? -1));
}

describe("the tables of spec model §7", () => {
  it("ramps up and down as the native illustration", () => {
    const config = { numCodebooks: 3, idsPerCodebook: 1026, audioStreamBosId: 1024, audioStreamEosId: 1025 };
    const decoder = decoderFor(config);
    run(decoder, config, (column, codebook) => (column === 5 && codebook === 1 ? 1025 : 100 * codebook + column));
    const [B, E] = [1024, 1025];
    expect(rowsOf(decoder.columns(), 3)).toEqual([
      [B, 1, 2, 3, 4, 5, E, E, E],
      [B, B, 102, 103, 104, E, 106, E, E],
      [B, B, B, 203, 204, 205, 206, 207, E],
    ]);
    expect(framesOf(decoder).at(-1)).toEqual([5, 106, 207]);
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
      const frames = framesOf(run(decoderFor(CODEBOOKS), CODEBOOKS, pick));
      expect(frames).toHaveLength(count);
      expect(frames.at(-1)?.[0] === 1023).toBe(endsWithEos);
    },
  );

  it.each([1, 2, 8, 9, 10, 30])("keeps C − 8 of %i columns when the length stops it", (maxColumns) => {
    const decoder = run(decoderFor(CODEBOOKS, { maxColumns }), CODEBOOKS, (column, codebook) => column + codebook);
    expect(decoder.finished).toBe("length");
    expect(decoder.columnCount).toBe(maxColumns);
    expect(framesOf(decoder)).toHaveLength(Math.max(0, maxColumns - 8));
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

describe("ColumnDecoder with the native rules", () => {
  it("makes the columns and frames of the closed formulas", () => {
    fc.assert(
      fc.property(scripts, ({ config, limit, candidates }) => {
        const expected = slowNativeSegment(candidates, limit, config);
        const decoder = decoderFor(config, { maxColumns: limit });
        run(decoder, config, (column, codebook) => candidates[column]?.[codebook] ?? 0);
        expect(rowsOf(decoder.columns(), config.numCodebooks)).toEqual(
          rowsOf(Int32Array.from(expected.columns.flat()), config.numCodebooks),
        );
        expect(framesOf(decoder)).toEqual(expected.frames);
      }),
      { numRuns: 600 },
    );
  });

  it("streams exactly the frames of the whole", () => {
    fc.assert(
      fc.property(scripts, fc.integer({ min: 1, max: 4 }), ({ config, limit, candidates }, stride) => {
        const decoder = decoderFor(config, { maxColumns: limit });
        const streamed = Array.from({ length: config.numCodebooks }, (): number[] => []);
        let read = 0;
        const readMore = () => {
          expect(decoder.availableFrames).toBeGreaterThanOrEqual(read);
          const rows = decoder.frames(read, decoder.availableFrames);
          rows.forEach((row, codebook) => streamed[codebook]?.push(...row));
          read = decoder.availableFrames;
        };
        while (decoder.finished === null) {
          decoder.step(scriptedLogits(config, candidates[decoder.columnCount] ?? []));
          if (decoder.columnCount % stride === 0) readMore();
        }
        readMore();
        expect(streamed).toEqual(decoder.frames().map((row) => [...row]));
      }),
      { numRuns: 400 },
    );
  });

  it("gives a seed the same columns alone and beside others that share its sampler", () => {
    const logits = (sequence: number, column: number) =>
      Float32Array.from({ length: 8 * 1026 }, (_, i) => 6 * Math.sin(i * 12.9898 + column * 78.233 + sequence * 3.7));
    const sampler = new Sampler(1026);
    const create = (seed: number) =>
      decoderFor(CODEBOOKS, { sampling: DEFAULT_SAMPLING, sampler, uniforms: new ChunkRandom(seed, 0) });
    const alone = [5, 6, 7].map((seed, sequence) => {
      const decoder = create(seed);
      while (decoder.finished === null) decoder.step(logits(sequence, decoder.columnCount));
      return decoder.columns();
    });
    const together = [5, 6, 7].map(create);
    while (together.some((decoder) => decoder.finished === null)) {
      together.forEach((decoder, sequence) => {
        if (decoder.finished === null) decoder.step(logits(sequence, decoder.columnCount));
      });
    }
    expect(together.map((decoder) => decoder.columns())).toEqual(alone);
    expect(alone[0]).not.toEqual(alone[1]);
  });

  it("reads logits from an offset and copies the last column to one", () => {
    const config = smallCodebooks(2);
    const decoder = decoderFor(config);
    const logits = new Float32Array(5 + 24).fill(99);
    logits.set(scriptedLogits(config, [4, 7]), 5);
    decoder.step(logits, 5);
    decoder.step(logits, 5);
    const target = new Int32Array(5);
    decoder.copyLastColumn(target, 2);
    expect([...target]).toEqual([0, 0, 4, 7, 0]);
  });

  it("refuses steps after the end, and frames that are not there", () => {
    const internal = expect.objectContaining({ code: "INTERNAL" });
    const decoder = decoderFor(CODEBOOKS, { maxColumns: 20 });
    run(decoder, CODEBOOKS, () => 1);
    expect(() => decoder.step(new Float32Array(8 * 1026))).toThrow(internal);
    expect(() => decoder.frames(0, decoder.availableFrames + 1)).toThrow(internal);
  });
});
