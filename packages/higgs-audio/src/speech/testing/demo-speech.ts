import { join } from "node:path";
import { openCodec } from "../../checkpoint/open-checkpoint.ts";
import { CodecDecoder } from "../../codec/codec-decoder.ts";
import { openCpuBackend } from "../../codec/testing/small-codec.ts";
import type { Codes } from "../../prompt/messages.ts";
import { DEMO_CHECKPOINT, loadDemo, speechRequest } from "./demo-model.ts";

/** The demo checkpoint's codec decoder. */
export async function openDemoDecoder(): Promise<{ readonly decoder: CodecDecoder } & Disposable> {
  await using source = await openCodec(join(DEMO_CHECKPOINT, "codec"));
  const backend = openCpuBackend();
  backend.setThreads(1);
  const decoder = await CodecDecoder.load(backend, source);
  return {
    decoder,
    [Symbol.dispose]: () => {
      decoder[Symbol.dispose]();
      backend[Symbol.dispose]();
    },
  };
}

/** Codes of sentences that the demo checkpoint speaks, each until it ends. */
export async function speakSentences(sentences: readonly string[]): Promise<Codes[]> {
  await using model = await loadDemo();
  const spoken: Codes[] = [];
  for (const transcript of sentences) {
    const { codes } = await model.speak(speechRequest({ transcript, maxNewTokens: 170 }));
    spoken.push(codes);
  }
  return spoken;
}
