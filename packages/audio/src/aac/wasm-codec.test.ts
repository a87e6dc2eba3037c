import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readFixture } from "../testing/describe-audio-decoder.ts";
import { WasmCodec } from "./wasm-codec.ts";

const folder = new URL("../../codecs/", import.meta.url);
const file = readFileSync(new URL("codecs.wasm", folder));

/** The types for Node leave it out. */
declare const WebAssembly: {
  Module: { new (bytes: Uint8Array): object; imports(module: object): unknown[] };
  Instance: new (module: object) => { exports: { memory: { grow(pages: number): number; buffer: ArrayBuffer } } };
};

describe("codecs.wasm", () => {
  it("is the file whose hash is noted", () => {
    const noted = readFileSync(new URL("codecs.wasm.sha256", folder), "utf8");
    expect(noted).toBe(`${createHash("sha256").update(file).digest("hex")}  codecs.wasm\n`);
  });

  it("imports nothing and cannot grow beyond 64 MiB", () => {
    const module = new WebAssembly.Module(file);
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const { memory } = new WebAssembly.Instance(module).exports;
    expect(memory.buffer.byteLength).toBeLessThan(8 * 2 ** 20);
    expect(() => memory.grow(1_024)).toThrow(RangeError);
  });
});

describe("WasmCodec", () => {
  it("refuses what would fill its memory", async () => {
    const codec = await WasmCodec.open("aac-stream", new Uint8Array(0));
    expect(() => codec.decode(new Uint8Array(65 * 2 ** 20))).toThrow("Cannot read the audio: its AAC data is damaged");
  });

  it("says which kind of AAC it does not read", async () => {
    // Object type 42, USAC, at 48 kHz in stereo.
    const usac = Uint8Array.of(0xf9, 0x46, 0x40);
    await expect(WasmCodec.open("aac-packets", usac)).rejects.toMatchObject({
      code: "REFERENCE_INVALID",
      message: expect.stringMatching(/^Cannot read the audio: its kind of AAC is not supported \(.*42/),
    });
  });

  it("refuses a cookie that asks for packets of a gigabyte", async () => {
    const cookie = Uint8Array.of(0x40, 0, 0, 0, 0, 16, 40, 10, 14, 2, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xac, 0x44);
    await expect(WasmCodec.open("alac-packets", cookie)).rejects.toMatchObject({
      message:
        "Cannot read the audio: its kind of ALAC is not supported (sample size, channels or packet length out of range)",
    });
  });

  it("decodes the same packets to the same samples each time", async () => {
    const bytes = readFixture("aac-adts-stereo-44k.aac");
    const all = async (slice: number) => {
      const codec = await WasmCodec.open("aac-stream", new Uint8Array(0));
      const samples: number[] = [];
      for (let start = 0; start < bytes.length; start += slice) {
        samples.push(...(codec.decode(bytes.subarray(start, start + slice)).channelData[0] ?? []));
      }
      samples.push(...(codec.finish().channelData[0] ?? []));
      return samples;
    };
    const whole = await all(bytes.length);
    expect(whole).toHaveLength(8_192);
    expect(await all(100)).toEqual(whole);
  });
});
