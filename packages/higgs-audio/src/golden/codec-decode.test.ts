import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Backend } from "@higgs-worker/ggml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listCodecTensors } from "../checkpoint/codec-tensors.ts";
import { type TestTensor, encodeSafetensors } from "../checkpoint/testing/safetensors-writer.ts";
import { makeTemporaryFolder } from "../checkpoint/testing/temporary-folder.ts";
import { writeCodec } from "../checkpoint/testing/test-codec.ts";
import { randomCodec } from "../codec/random-codec.ts";
import { OracleCodec } from "../codec/testing/oracle-codec.ts";
import { SMALL_CODEC_CONFIG, openCpuBackend, someCodes } from "../codec/testing/small-codec.ts";
import { collectDecodeCases } from "./codec-decode.ts";
import { runGoldenCase } from "./outcome.ts";

const FRAMES = 5;
const codes = someCodes(SMALL_CODEC_CONFIG, FRAMES, 3);
const source = randomCodec(SMALL_CODEC_CONFIG, { seed: 9 });

let backend: Backend;
let oracle: OracleCodec;
beforeAll(async () => {
  backend = openCpuBackend();
  backend.setThreads(1);
  const names = listCodecTensors(SMALL_CODEC_CONFIG).map(({ name }) => name);
  oracle = await OracleCodec.read(source, names);
});
afterAll(() => backend[Symbol.dispose]());

function tensor(name: string, dtype: "F32" | "I16", shape: readonly number[], values: ArrayLike<number>): TestTensor {
  const data = dtype === "F32" ? Float32Array.from(values) : Int16Array.from(values);
  return { name, dtype, shape, data: new Uint8Array(data.buffer) };
}

/** A golden set for the decoder alone, with expected values from the second implementation; `spoil` changes the PCM. */
async function writeGoldenSet(spoil: (pcm: Float64Array) => void = () => {}): Promise<string> {
  const folder = makeTemporaryFolder();
  const expected = listCodecTensors(SMALL_CODEC_CONFIG);
  const weights = expected.map(async ({ name, shape }) => tensor(name, "F32", shape, await source.readF32(name)));
  writeCodec(join(folder, "tiny", "codec-native"), SMALL_CODEC_CONFIG, await Promise.all(weights));
  const shape = [SMALL_CODEC_CONFIG.numQuantizers, FRAMES];
  const flatCodes = codes.flatMap((row) => [...row]);
  const pcm = oracle.decode(codes);
  spoil(pcm);
  const quantised = oracle.quantised(codes);
  mkdirSync(join(folder, "codec"));
  const decode = [
    tensor(`codes.${FRAMES}`, "I16", shape, flatCodes),
    tensor(`pcm.${FRAMES}`, "F32", [pcm.length], pcm),
  ];
  const stages = [
    tensor("codes", "I16", shape, flatCodes),
    tensor("quantised", "F32", [quantised.channels, quantised.time], quantised.values),
  ];
  writeFileSync(join(folder, "codec", "decode.safetensors"), encodeSafetensors(decode));
  writeFileSync(join(folder, "codec", "decode-stages.safetensors"), encodeSafetensors(stages));
  return folder;
}

async function outcomesOf(folder: string): Promise<Record<string, string>> {
  const lm = { hiddenTolerance: 0, relativeHiddenTolerance: 0, minCosine: 1, logitTolerance: 0 };
  const compute = { backend, isExact: true, ...lm, codecTolerance: 2e-5 };
  const outcomes: Record<string, string> = {};
  for await (const golden of collectDecodeCases(folder, { compute })) {
    const { status, detail } = await runGoldenCase(golden);
    outcomes[golden.name] = `${status}: ${detail}`;
  }
  return outcomes;
}

describe("the golden cases of the codec decoder", () => {
  it("pass on values of an independent implementation, and fail for the layout that is missing", async () => {
    const outcomes = await outcomesOf(await writeGoldenSet());
    expect(outcomes["codec-native/decode stages"]).toBe("passed: 1 stages");
    expect(outcomes["codec-native/decode 5"]).toBe("passed: 4800 samples");
    expect(outcomes["codec-native/decode 5 streamed"]).toBe("passed: 4800 samples");
    expect(outcomes["codec-boson/decode 5"]).toMatch(/^failed: .*no checkpoint was found/u);
  });

  it("fail at the sample that was altered", async () => {
    const outcomes = await outcomesOf(await writeGoldenSet((pcm) => pcm.set([(pcm[1234] ?? 0) + 1e-3], 1234)));
    expect(outcomes["codec-native/decode 5"]).toMatch(/^failed: sample 1234: off by 1\.0e-3/u);
    expect(outcomes["codec-native/decode 5 streamed"]).toMatch(/^failed: sample 1234/u);
  });

  it("become one failing case when the file is missing", async () => {
    expect(Object.values(await outcomesOf(makeTemporaryFolder()))).toEqual([expect.stringMatching(/^failed/u)]);
  });
});
