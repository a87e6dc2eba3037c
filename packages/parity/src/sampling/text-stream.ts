import { Sampler } from "@higgs-worker/higgs-audio/parts";
import type { Script } from "./scripted-model.ts";

/** Ids of the text stream that the references write or act on (spec model §2.3). */
export interface TextStreamIds {
  readonly audioOutBos: number;
  readonly audioOut: number;
  /** Ends a segment in boson's text stream. */
  readonly audioEos: number;
  /** Stands for a column of native's ramp-down. */
  readonly audioDelay: number;
  /** Ends native's text stream, and boson's too. */
  readonly eot: number;
  readonly endOfText: number;
}

/**
 * Writes a reply's text stream as the references do (spec model §8.1, §8.6): text until `<|audio_out_bos|>`, the ids of a
 * segment of audio, then text again (boson only), until an id that stops or `maxSteps`. Text is sampled with the same warpers
 * as audio; the script's text head leaves one id only.
 *
 * @param speak generates one segment of at most `columnLimit` columns, and gives an id of the text stream for each of them
 * @returns one id per step
 */
export async function writeTextStream(
  script: Pick<Script, "text" | "prompt" | "sample">,
  ids: TextStreamIds,
  maxSteps: number,
  speak: (segment: number, columnLimit: number) => Promise<readonly number[]>,
): Promise<number[]> {
  const textHead = new TextHead(script, ids);
  const stream: number[] = [];
  let segments = 0;
  let isAudioNext = script.prompt !== "plain-unforced";
  while (stream.length < maxSteps) {
    if (isAudioNext) stream.push(...(await speak(segments++, maxSteps - stream.length)));
    else stream.push(textHead.next());
    const last = stream.at(-1);
    if (last === ids.eot || last === ids.endOfText) break;
    isAudioNext = last === ids.audioOutBos;
  }
  return stream;
}

/** The text head of a script. */
class TextHead {
  readonly #texts: string[];
  readonly #ids: TextStreamIds;
  readonly #options: Parameters<Sampler["sampleRow"]>[3];
  readonly #sampler: Sampler;

  constructor({ text, sample }: Pick<Script, "text" | "sample">, ids: TextStreamIds) {
    this.#texts = [...text];
    this.#ids = ids;
    this.#options = { temperature: sample?.temperature ?? 0, topK: sample?.top_k ?? 0, topP: sample?.top_p ?? 1 };
    this.#sampler = new Sampler(Math.max(ids.audioOutBos, ids.eot) + 1);
  }

  next(): number {
    const text = this.#texts.shift();
    if (text === undefined) throw new Error("text: the script has no more ids of the text head");
    const { audioOutBos, eot } = this.#ids;
    const logits = new Float32Array(Math.max(audioOutBos, eot) + 1).fill(-1000);
    logits[text === "eot" ? eot : audioOutBos] = 1000;
    return this.#sampler.sampleRow(logits, 0, logits.length, this.#options, 0);
  }
}
