import { join } from "node:path";
import { CodecDecoder, openCodec, openDevice } from "@higgs-worker/higgs-audio/parts";
import { DEMO } from "./takes.ts";

/** The demo's codec on the CPU; close it when done. */
export interface DemoDecoder {
  readonly decode: (codes: readonly Int32Array[]) => Promise<Float32Array>;
  readonly close: () => void;
}

export async function openDemoDecoder(): Promise<DemoDecoder> {
  const codec = await openCodec(join(DEMO, "checkpoint", "codec"));
  const backend = openDevice({ device: "cpu", threads: 1 });
  const decoder = await CodecDecoder.load(backend, codec);
  await codec[Symbol.asyncDispose]();
  return {
    decode: (codes) => decoder.decode(codes),
    close: () => {
      decoder[Symbol.dispose]();
      backend[Symbol.dispose]();
    },
  };
}
