import type { DecodedAudio } from "../decoder/audio-decoder.ts";
import type { Finding, FindingCode } from "./finding.ts";
import { countClippedRuns, decibels, levelAt, measureLevels, SILENCE_LEVEL, type Levels } from "./levels.ts";
import { speechWeight } from "./speech-weight.ts";
import { countHeardSyllables, countWrittenSyllables } from "./syllables.ts";

/** Shorter than a syllable: the encoder would get about ten frames without a voice in them. */
const MIN_REFERENCE_SECONDS = 0.4;

/** The model was trained on voices of 5 to 30 s; below 3 s it copies the timbre, but not the speaking style. */
const SHORT_SECONDS = 3;

/** More does not improve the voice, and each second takes 25 positions of the context. */
const LONG_SECONDS = 30;

/** The model copies pauses at either end; half a second is natural, with a breath more at the end. */
const LEADING_SILENCE_SECONDS = 0.5;
const TRAILING_SILENCE_SECONDS = 1;

/** About a quarter of speech is pauses. Above half, the clip is shorter than it seems. */
const MOSTLY_SILENT_SHARE = 0.5;

/** The highest 16-bit values, and where limiters stop. */
const CLIP_LEVEL = 0.999;

/** A natural peak touches full scale for a sample or two; three in a row are a cut-off top. */
const CLIP_RUN_SAMPLES = 3;

/** One cut-off top may be a click. */
const CLIPPED_RUNS = 3;

/** Difference of loud and quiet blocks (in dB) below which the noise is audible in the copied voice too. */
const MIN_SPEECH_TO_NOISE_DB = 15;

/** Blocks below it are the noise between words, above it the words. */
const NOISE_SHARE = 0.1;
const SPEECH_SHARE = 0.9;

/** Digital silence between words says nothing about the noise. */
const DIGITAL_SILENCE = 1e-5;

/** 1 % of full scale: audible as a click at the start; a good recording never has it. */
const MAX_MEAN = 0.01;

/** −36 dB: 16 bits then hold fewer than 10, and the model hears more noise than voice. Speech lies at about −20 dB. */
const LOW_SPEECH_LEVEL = 10 ** (-36 / 20);

/** −60 dB: the difference lossy formats leave between identical channels. */
const SAME_CHANNEL_DIFFERENCE = 1e-3;

/** The mean of the channels has less than a tenth of each channel's peak: their phases are opposite. */
const CANCELLING_SHARE = 0.1;

/**
 * Letters per second (see `speechWeight`). Slow speech has 6, news 14, a fast talker 20. Outside these bounds the
 * transcript belongs to another clip or to a part of this one.
 */
const MAX_LETTERS_A_SECOND = 30;
const MIN_LETTERS_A_SECOND = 3;

/**
 * The least share of the syllables heard that a transcript must have. Complete transcripts of clear speech have 0.85 to
 * 1.5, halves 0.4 to 0.8; when the two are close, the slower apparent speech of a half decides.
 */
const MIN_SYLLABLE_SHARE = 0.75;
const DOUBTFUL_SYLLABLE_SHARE = 0.8;
const SLOW_LETTERS_A_SECOND = 8;

/** Fewer say nothing about the share; faster speech does not exist, so it is music or noise. */
const MIN_HEARD_SYLLABLES = 6;
const MAX_SYLLABLES_A_SECOND = 8;

/** What the examination needs of decoded audio, at the rate and in the channels of the file. */
export type ReferenceAudio = Pick<
  DecodedAudio,
  "samples" | "sampleRateHz" | "channels" | "channelPeaks" | "channelDifference" | "missingBytes"
>;

/**
 * What makes a clip a bad reference, most important first; empty for a good one. Only what cannot work at all has the
 * severity `refuse`. `transcript` is what is said in the clip, if known.
 */
export function examineReference(audio: ReferenceAudio, transcript?: string): Finding[] {
  const levels = measureLevels(audio.samples, audio.sampleRateHz);
  const refusal = refusalOf(audio, levels);
  if (refusal !== null) return [refusal];
  return [
    ...examineWholeness(audio),
    ...examineLength(audio),
    ...examinePauses(levels),
    ...examineSound(audio, levels),
    ...examineChannels(audio),
    ...(transcript === undefined ? [] : examineTranscript(transcript, audio, levels)),
  ];
}

function refusalOf(audio: ReferenceAudio, levels: Levels): Finding | null {
  const seconds = durationOf(audio);
  if (seconds < MIN_REFERENCE_SECONDS) {
    return {
      code: "too_short",
      severity: "refuse",
      message: `it is too short to hold a voice (got ${seconds.toFixed(2)} s, limit ${MIN_REFERENCE_SECONDS} s)`,
      hint: "Use 5 to 15 seconds of clear speech by one person",
    };
  }
  if (levels.soundBlocks > 0) return null;
  if (Math.max(...audio.channelPeaks) * CANCELLING_SHARE > levels.peak) {
    return {
      code: "cancelling_channels",
      severity: "refuse",
      message: "its channels cancel each other out: their mean is silent",
      hint: "Save it as mono, or invert the phase of one channel",
    };
  }
  return {
    code: "silent",
    severity: "refuse",
    message: `it is silent throughout (peak ${decibels(levels.peak)}, limit ${decibels(SILENCE_LEVEL)} RMS)`,
    hint: "Check that the right file was sent and that the microphone was on",
  };
}

function examineWholeness({ missingBytes }: ReferenceAudio): Finding[] {
  if (missingBytes === 0) return [];
  return [
    warning("cut_off", `The file ends before its audio does (${missingBytes} bytes are missing)`, {
      hint: "Check that the whole file was copied or sent",
    }),
  ];
}

function examineLength(audio: ReferenceAudio): Finding[] {
  const seconds = durationOf(audio);
  if (seconds < SHORT_SECONDS) {
    return [
      warning("short", `The reference is short (got ${seconds.toFixed(1)} s, recommended ${SHORT_SECONDS} s or more)`, {
        hint: "Use 5 to 15 seconds, so that the speaking style is copied too",
      }),
    ];
  }
  if (seconds > LONG_SECONDS) {
    return [
      warning("long", `The reference is long (got ${seconds.toFixed(0)} s, recommended ${LONG_SECONDS} s or less)`, {
        hint: "Trim it to its best 5 to 15 seconds: that uses less context and time, and sounds the same",
      }),
    ];
  }
  return [];
}

function examinePauses(levels: Levels): Finding[] {
  const findings: Finding[] = [];
  if (levels.leadingSeconds > LEADING_SILENCE_SECONDS) {
    findings.push(pause("leading_silence", "begins", levels.leadingSeconds, LEADING_SILENCE_SECONDS));
  }
  if (levels.trailingSeconds > TRAILING_SILENCE_SECONDS) {
    findings.push(pause("trailing_silence", "ends", levels.trailingSeconds, TRAILING_SILENCE_SECONDS));
  }
  const silentShare = 1 - levels.soundBlocks / levels.blocks.length;
  if (silentShare > MOSTLY_SILENT_SHARE) {
    const got = `got ${(silentShare * 100).toFixed(0)} %, limit ${MOSTLY_SILENT_SHARE * 100} %`;
    findings.push(
      warning("mostly_silent", `Most of the reference is silent (${got})`, {
        hint: "Remove the pauses, or use a part with continuous speech",
      }),
    );
  }
  return findings;
}

function pause(code: FindingCode, where: string, seconds: number, limit: number): Finding {
  return warning(code, `The reference ${where} with silence (got ${seconds.toFixed(1)} s, limit ${limit} s)`, {
    hint: "Trim it: the model copies pauses too",
  });
}

function examineSound(audio: ReferenceAudio, levels: Levels): Finding[] {
  const findings: Finding[] = [];
  const runs = countClippedRuns(audio.samples, CLIP_LEVEL, CLIP_RUN_SAMPLES);
  if (runs >= CLIPPED_RUNS) {
    findings.push(
      warning("clipped", `The reference is clipped (got ${runs} cut-off peaks, limit ${CLIPPED_RUNS - 1})`, {
        hint: "Record it at a lower level; turning a clipped file down does not help",
      }),
    );
  }
  const speech = levelAt(levels.blocks, SPEECH_SHARE);
  const noise = levelAt(
    levels.blocks.filter((level) => level > DIGITAL_SILENCE),
    NOISE_SHARE,
  );
  const distanceDb = 20 * Math.log10(speech / noise);
  if (distanceDb < MIN_SPEECH_TO_NOISE_DB) {
    const got = `noise floor about ${decibels(noise)}, ${distanceDb.toFixed(0)} dB below the speech, recommended ${MIN_SPEECH_TO_NOISE_DB} dB`;
    findings.push(
      warning("noisy", `The reference has noise, music or no pauses behind the voice (${got})`, {
        hint: "Record it in a quiet room, close to the microphone: the model copies the background too",
      }),
    );
  }
  if (Math.abs(levels.mean) > MAX_MEAN) {
    const got = `got ${(levels.mean * 100).toFixed(1)} %, limit ${MAX_MEAN * 100} %`;
    findings.push(
      warning("dc_offset", `The reference has a constant offset (${got} of full scale)`, {
        hint: "Apply a 20 Hz high-pass filter",
      }),
    );
  }
  if (speech < LOW_SPEECH_LEVEL) {
    const got = `speech at ${decibels(speech)}, recommended ${decibels(LOW_SPEECH_LEVEL)} or more`;
    findings.push(
      warning("low_level", `The reference is very quiet (${got})`, {
        hint: "Record it louder, or normalize it to a peak of about -3 dB",
      }),
    );
  }
  return findings;
}

function examineChannels(audio: ReferenceAudio): Finding[] {
  if (audio.channels < 2) return [];
  const empty = audio.channelPeaks.filter((peak) => peak < SILENCE_LEVEL).length;
  if (empty > 0) {
    return [
      warning("empty_channel", `Some channels of the reference are empty (got ${empty} of ${audio.channels})`, {
        hint: "Keep only the channel with the voice: the mean of all channels is quieter",
      }),
    ];
  }
  if (audio.channelDifference < SAME_CHANNEL_DIFFERENCE) {
    return [
      warning("identical_channels", `All ${audio.channels} channels of the reference are the same`, {
        hint: "Save it as mono: it sounds the same and is smaller",
      }),
    ];
  }
  const peak = audio.samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
  if (peak > Math.max(...audio.channelPeaks) * CANCELLING_SHARE) return [];
  return [
    warning("cancelling_channels", "The channels of the reference mostly cancel each other out", {
      hint: "Save it as mono, or invert the phase of one channel",
    }),
  ];
}

function examineTranscript(transcript: string, audio: ReferenceAudio, levels: Levels): Finding[] {
  const letters = speechWeight(transcript);
  if (letters === 0) {
    return [
      warning("transcript_empty", "The transcript of the reference has no letters", {
        hint: "Write down what is said in the reference, word by word",
      }),
    ];
  }
  const ofAll = letters / durationOf(audio);
  if (ofAll > MAX_LETTERS_A_SECOND) {
    const got = `got ${ofAll.toFixed(0)} letters per second, limit ${MAX_LETTERS_A_SECOND}`;
    return [
      warning("transcript_too_long", `The transcript is too long for the reference (${got})`, {
        hint: "Give exactly the words of this clip: extra words make the model skip words later",
      }),
    ];
  }
  const ofSound = letters / (levels.soundBlocks * levels.blockSeconds);
  const heard = countHeardSyllables(audio.samples, audio.sampleRateHz);
  const written = countWrittenSyllables(transcript);
  const share = written / heard;
  const isCountable = heard >= MIN_HEARD_SYLLABLES && heard <= MAX_SYLLABLES_A_SECOND * durationOf(audio);
  const isHalf = share < (ofSound < SLOW_LETTERS_A_SECOND ? DOUBTFUL_SYLLABLE_SHARE : MIN_SYLLABLE_SHARE);
  if (ofSound >= MIN_LETTERS_A_SECOND && !(isCountable && isHalf)) return [];
  const got =
    ofSound < MIN_LETTERS_A_SECOND
      ? `got ${ofSound.toFixed(1)} letters per second of sound, limit ${MIN_LETTERS_A_SECOND}`
      : `got about ${written.toFixed(0)} syllables, heard about ${heard}`;
  return [
    warning("transcript_too_short", `The transcript is too short for the reference (${got})`, {
      hint: "Give all words of the clip, or trim the clip to the given words",
    }),
  ];
}

function warning(code: FindingCode, message: string, { hint }: { readonly hint: string }): Finding {
  return { code, severity: "warning", message, hint };
}

function durationOf(audio: ReferenceAudio): number {
  return audio.samples.length / audio.sampleRateHz;
}
