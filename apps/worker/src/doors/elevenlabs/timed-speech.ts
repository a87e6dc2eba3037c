import { LiveSpeech, type Sentence } from "../live-text/live-speech.ts";
import type { SentenceSpeaker } from "../live-text/sentence-speaker.ts";
import type { SpeechEncoder } from "../live-text/speech-encoder.ts";
import { type Alignment, estimateAlignment } from "./alignment.ts";
import { readElevenLabsText } from "./break-tags.ts";

export interface TimedSpeechOptions {
  readonly text: string;
  readonly speaker: SentenceSpeaker;
  readonly encoder: SpeechEncoder;
  /** Takes the audio in order; times come with the last bytes of their sentence, and may come without any. */
  readonly onPart: (bytes: Uint8Array, alignment: Alignment | null) => void;
  readonly pace?: ((signal: AbortSignal) => Promise<void>) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Speaks a text sentence by sentence, so that each sentence's times are right at its ends. The characters of all times are the text.
 *
 * @throws what the first sentence that fails throws
 */
export async function speakTimed(options: TimedSpeechOptions): Promise<void> {
  const { text, speaker, encoder, onPart, pace, signal } = options;
  const left = new AbortController();
  const stop = AbortSignal.any([signal, left.signal]);
  let offsetMs = 0;
  let sentenceMs = 0;
  let cursor = 0;
  let failure: { readonly error: unknown } | null = null;
  const speech = new LiveSpeech({
    speak: (request) => speaker.speak({ ...request, signal: AbortSignal.any([request.signal, stop]) }),
    granularity: "sentence",
    readPart: readElevenLabsText,
    maxWaitingCharacters: Number.POSITIVE_INFINITY,
    pace,
    listener: {
      onStart: () => void (sentenceMs = 0),
      onAudio: async (pcm, sampleRateHz) => {
        sentenceMs += ((pcm.length / sampleRateHz) * 1000) / speaker.speed;
        onPart(await encoder.write(pcm, sampleRateHz), null);
      },
      onEnd: ({ part }: Sentence, outcome) => {
        if (outcome.kind !== "spoken") {
          failure ??= { error: outcome.kind === "failed" ? outcome.error : signal.reason };
          left.abort();
          void speech.close();
          return;
        }
        // With what was left out before it, such as line breaks.
        const end = Math.max(cursor, text.indexOf(part, cursor)) + part.length;
        onPart(NOTHING, estimateAlignment(text.slice(cursor, end), sentenceMs, offsetMs));
        cursor = end;
        offsetMs += sentenceMs;
      },
    },
  });
  const cancel = (): void => void speech.close();
  signal.addEventListener("abort", cancel);
  try {
    await new Promise<void>((resolve) => {
      speech.push(text);
      speech.flush(() => resolve());
      if (signal.aborted) cancel();
    });
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
    signal.throwIfAborted();
    onPart(await encoder.end(), cursor < text.length ? estimateAlignment(text.slice(cursor), 0, offsetMs) : null);
  } finally {
    signal.removeEventListener("abort", cancel);
    encoder.close();
  }
}

const NOTHING = new Uint8Array();
