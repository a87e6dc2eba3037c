import { openCodec } from "../../checkpoint/open-checkpoint.ts";
import { CodecDecoder } from "../../codec/codec-decoder.ts";
import { CodecEncoder } from "../../codec/codec-encoder.ts";
import { joinCodes } from "../../codec/codes.ts";
import { applyDelayPattern, lastDelayedColumns } from "../../engine/delay-pattern.ts";
import { ChunkRandom } from "../../engine/rng.ts";
import { Scheduler } from "../../engine/scheduler.ts";
import { chooseLibrary } from "../../preflight/choose-library.ts";
import { openDevice } from "../../model/device.ts";
import { servedKvTypes } from "../../model/kv-cache.ts";
import { LanguageModel } from "../../model/language-model.ts";
import { openWeights } from "../../model/open-weights.ts";
import { buildPrompt } from "../../prompt/build-prompt.ts";
import { expandPrompt } from "../../prompt/expand-prompt.ts";
import { buildFixedMessages } from "../../prompt/fixed-messages.ts";
import { type Codes, type Message, spokenMessage, textMessage } from "../../prompt/messages.ts";
import { planText } from "../../prompt/plan-text.ts";
import type { PromptReference } from "../../prompt/references.ts";
import { collectSpeakerTags } from "../../text/speaker-tags.ts";
import { loadTextTokenizer } from "../../tokenizer/text-tokenizer.ts";
import type { ResolvedSpeechRequest } from "../speech-request.ts";
import { demoOptions } from "./demo-model.ts";

export interface ReferenceLoop extends AsyncDisposable {
  /** Codes and samples of a request, whose reference clips have samples. */
  speak(request: ResolvedSpeechRequest): Promise<{ readonly codes: Codes; readonly pcm: Float32Array }>;
}

/**
 * The reference implementations' loop over the chunks in a few lines, on the parts of the demo model: nothing is judged, cut or put
 * between, and no prefix is kept.
 */
export async function loadReferenceLoop(contextLength: number): Promise<ReferenceLoop> {
  const options = { ...demoOptions(), device: "cpu", contextLength, weights: "bf16" } as const;
  const { modelPath, tokenizerPath, cacheDir = "" } = options;
  const backend = openDevice({ ...(await chooseLibrary({ device: "cpu", allowCpu: true })), threads: 1 });
  const { source } = await openWeights(backend, { modelPath, weights: "bf16", cacheDir });
  const model = await LanguageModel.load(backend, source, {
    precision: "stored",
    kvTypes: servedKvTypes(backend.device),
    slots: 1,
    contextLength,
  });
  await source[Symbol.asyncDispose]();
  const codec = await openCodec(tokenizerPath);
  const decoder = await CodecDecoder.load(backend, codec);
  const encoder = await CodecEncoder.load(backend, codec);
  await codec[Symbol.asyncDispose]();
  const tokenizer = await loadTextTokenizer(modelPath);
  const scheduler = new Scheduler(model, { prefixCacheBytes: 0 });

  const referencesOf = async (request: ResolvedSpeechRequest): Promise<PromptReference[]> => {
    const references: PromptReference[] = [];
    for (const reference of request.references) {
      if (reference.kind === "profile") references.push(reference);
      else {
        const samples = typeof reference.samples === "function" ? await reference.samples() : reference.samples;
        references.push({ ...reference, codes: await encoder.encode(samples) });
      }
    }
    return references;
  };

  const rowsOf = (messages: readonly Message[], forceAudio = true) => {
    const prompt = buildPrompt(messages, tokenizer, { forceAudio });
    const rows = expandPrompt(prompt, {
      specialIds: tokenizer.specialIds,
      numCodebooks: model.config.numCodebooks,
      toColumns: (codes) => applyDelayPattern(codes, model.config),
    });
    return { prompt, rows };
  };

  return {
    async speak(request) {
      const { sampling, maxNewTokens, seed, generationChunkBufferSize: bufferSize, chunkMethod } = request;
      if (chunkMethod === "auto" || chunkMethod === "sentence") throw new Error("The reference has no such method");
      const fixed = buildFixedMessages({
        ...request,
        references: await referencesOf(request),
        speakerTags: collectSpeakerTags(request.transcript),
      });
      // The prompt is computed in pieces, one of which ends with the turns that chunks share: sums depend on it.
      const prefixRows = rowsOf(fixed, false).rows.isAudio.length - rowsOf([], false).rows.isAudio.length;
      const { chunks } = planText({ ...request, chunkMethod });
      const spoken: Message[] = [];
      const codes: Codes[] = [];
      for (const [index, text] of chunks.entries()) {
        const context = bufferSize === null || bufferSize === 0 ? spoken : spoken.slice(-2 * bufferSize);
        const user = textMessage("user", text);
        const { prompt, rows } = rowsOf([...fixed, ...context, user]);
        const clips = prompt.clips.flatMap((clip) => (clip.kind === "out" ? [clip.codes] : []));
        const sequence = await scheduler.generate({
          sampling,
          maxColumns: Math.min(maxNewTokens, contextLength),
          prompt: rows,
          prefixRows,
          columnsBefore: lastDelayedColumns(clips, sampling.rasWinLen, model.config),
          uniforms: new ChunkRandom(seed, index),
        });
        codes.push(sequence.codes);
        spoken.push(user, spokenMessage(sequence.codes));
      }
      const joined = joinCodes(codes);
      return { codes: joined, pcm: await decoder.decode(joined) };
    },
    async [Symbol.asyncDispose]() {
      encoder[Symbol.dispose]();
      decoder[Symbol.dispose]();
      model[Symbol.dispose]();
      backend[Symbol.dispose]();
    },
  };
}
