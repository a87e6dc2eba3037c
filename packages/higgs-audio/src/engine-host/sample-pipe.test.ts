import { PassThrough } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SamplePipe } from "./sample-pipe.ts";

function samplesFrom(start: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => (start + index) / 7);
}

describe("SamplePipe", () => {
  it("gives the samples that were sent, however their bytes are cut on the way", async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), async (counts, cuts) => {
        const output = new PassThrough();
        const input = new PassThrough();
        const sender = new SamplePipe(new PassThrough(), output);
        const receiver = new SamplePipe(input, new PassThrough());
        const sent = counts.map((count, index) => samplesFrom(100 * index, count));
        for (const samples of sent) sender.send(samples);
        const bytes = output.read() as Uint8Array;
        const taken: Float32Array[] = [];
        const taking = (async () => {
          for (const count of counts) taken.push(await receiver.take(count));
        })();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          input.write(bytes.subarray(at, at + size));
          at += size;
        }
        await taking;
        expect(taken).toEqual(sent);
      }),
      { numRuns: 50 },
    );
  });

  it("sends a part of an array as that part, without a copy of it", () => {
    const output = new PassThrough();
    const samples = samplesFrom(0, 10);
    new SamplePipe(new PassThrough(), output).send(samples.subarray(3, 5));
    const bytes = output.read() as Uint8Array;
    expect(bytes).toHaveLength(8);
    expect(bytes.buffer).toBe(samples.buffer);
  });

  it("sends nothing for no samples, and outlives the end of the other side", async () => {
    const output = new PassThrough();
    const pipe = new SamplePipe(new PassThrough(), output);
    pipe.send(new Float32Array(0));
    expect(output.readableLength).toBe(0);
    output.destroy(new Error("write EPIPE"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(() => pipe.send(samplesFrom(0, 4))).not.toThrow();
  });
});
