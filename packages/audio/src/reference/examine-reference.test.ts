import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeAudio } from "../decoding/decode-audio.ts";
import { noise } from "../testing/describe-audio-encoder.ts";
import { examineReference, type ReferenceAudio } from "./examine-reference.ts";
import { FINDING_CODES, type FindingCode } from "./finding.ts";

const RATE_HZ = 16_000;

/**
 * A stand-in for speech: syllables of a buzzing 120 Hz tone, four a second with a short gap after each, a longer pause
 * every second, on a floor of faint noise. Peak 0.5, level of the syllables about −17 dB, noise at −66 dB.
 */
function speech(seconds: number, amplitude = 0.5): Float32Array {
  const pcm = noise(Math.round(seconds * RATE_HZ), 11, 0.001);
  return pcm.map((floor, i) => {
    const t = i / RATE_HZ;
    const inSyllable = (t * 4) % 1;
    const isPause = inSyllable > 0.8 || t % 1 > 0.85;
    const shape = isPause ? 0 : Math.sin((Math.PI * inSyllable) / 0.8);
    const buzz = (2 * Math.sin(2 * Math.PI * 120 * t) + Math.sin(2 * Math.PI * 360 * t)) / 3;
    return floor + amplitude * shape * buzz;
  });
}

const peakOf = (pcm: Float32Array) => pcm.reduce((peak, x) => Math.max(peak, Math.abs(x)), 0);

/** As a decoder would give it: the mean of the channels, and what is known of each. */
function audioOf(...channels: readonly Float32Array[]): ReferenceAudio {
  const [first = new Float32Array(0)] = channels;
  const differences = channels.map((channel) => peakOf(channel.map((x, i) => x - (first[i] ?? 0))));
  return {
    samples: first.map((_, i) => channels.reduce((sum, channel) => sum + (channel[i] ?? 0), 0) / channels.length),
    sampleRateHz: RATE_HZ,
    channels: channels.length,
    channelPeaks: channels.map(peakOf),
    channelDifference: Math.max(...differences),
    missingBytes: 0,
  };
}

const codesOf = (audio: ReferenceAudio, transcript?: string) =>
  examineReference(audio, transcript).map((finding) => finding.code);

const silence = (seconds: number) => new Float32Array(Math.round(seconds * RATE_HZ));

function joined(...parts: readonly Float32Array[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function mixed(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((x, i) => x + (b[i] ?? 0));
}

const good = speech(8);
const goodTranscript =
  "The sun rises in the east and sets in the west, as it has done since the days of old, they say.";

/** Signals that have one fault each, and the one finding that it must give. */
const FAULTS: Readonly<Record<Exclude<FindingCode, `transcript_${string}`>, ReferenceAudio>> = {
  too_short: audioOf(speech(0.39)),
  cut_off: { ...audioOf(good), missingBytes: 1 },
  short: audioOf(speech(2.9)),
  long: audioOf(speech(31)),
  silent: audioOf(noise(RATE_HZ * 5, 3, 1e-4)),
  leading_silence: audioOf(joined(silence(0.7), good)),
  trailing_silence: audioOf(joined(good, silence(1.3))),
  mostly_silent: audioOf(joined(speech(2.8), noise(RATE_HZ * 5, 3, 8e-4), speech(2.8))),
  clipped: audioOf(speech(8, 1.5).map((x) => Math.max(-1, Math.min(1, x)))),
  noisy: audioOf(mixed(good, noise(good.length, 5, 0.1))),
  dc_offset: audioOf(good.map((x) => x + 0.02)),
  low_level: audioOf(speech(8, 0.03)),
  identical_channels: audioOf(good, good),
  empty_channel: audioOf(good, silence(8)),
  cancelling_channels: audioOf(speech(8, 1), speech(8, -0.85)),
};

describe("examineReference()", () => {
  it("has nothing to say about a good clip", () => {
    expect(examineReference(audioOf(good), goodTranscript)).toEqual([]);
    expect(examineReference(audioOf(good, speech(8, 0.4)))).toEqual([]);
  });

  it.each(Object.keys(FAULTS) as (keyof typeof FAULTS)[])("finds %s, and nothing else", (code) => {
    expect(codesOf(FAULTS[code])).toEqual([code]);
  });

  it("refuses only what cannot give a voice", () => {
    const refused = Object.entries(FAULTS).filter(([, audio]) =>
      examineReference(audio).some(({ severity }) => severity === "refuse"),
    );
    expect(refused.map(([code]) => code)).toEqual(["too_short", "silent"]);
    // Channels that cancel out completely leave nothing; all other faults leave a voice.
    expect(
      examineReference(
        audioOf(
          good,
          good.map((x) => -x),
        ),
      ),
    ).toMatchObject([{ code: "cancelling_channels", severity: "refuse" }]);
    expect(examineReference(audioOf(new Float32Array(RATE_HZ)))).toMatchObject([{ code: "silent" }]);
    expect(examineReference(audioOf(new Float32Array(0)))).toMatchObject([{ code: "too_short" }]);
  });

  it("gives the value, the limit and what to do, in sentences without a period", () => {
    const findings = Object.values(FAULTS).flatMap((audio) => examineReference(audio));
    for (const { message, hint } of findings) {
      expect(message).toMatch(/^(?:The|Most|Some|All|it|its) .*[^.]$/);
      expect(hint).toMatch(/^[A-Z].*[^.]$/);
    }
    expect(examineReference(FAULTS.leading_silence)[0]?.message).toBe(
      "The reference begins with silence (got 0.7 s, limit 0.5 s)",
    );
    expect(examineReference(FAULTS.too_short)[0]?.message).toContain("(got 0.39 s, limit 0.4 s)");
  });

  it("gives several findings at once, most important first", () => {
    const quiet = speech(2.5, 0.02).map((x) => x + 0.05);
    expect(codesOf(audioOf(quiet, quiet), "Hm")).toEqual([
      "short",
      "dc_offset",
      "low_level",
      "identical_channels",
      "transcript_too_short",
    ]);
  });

  it("does not mistake a loud peak or a single click for clipping", () => {
    const peak = peakOf(good);
    const loud = good.map((x) => x / peak);
    expect(codesOf(audioOf(loud))).toEqual([]);
    const click = good.slice();
    click.fill(1, 4_000, 4_004);
    expect(codesOf(audioOf(click))).toEqual([]);
  });

  it("does not mistake digital silence between words for a low noise floor", () => {
    const gated = mixed(good, noise(good.length, 5, 0.1)).map((x, i) => ((i / RATE_HZ) % 1 > 0.9 ? 0 : x));
    expect(codesOf(audioOf(gated))).toEqual(["noisy"]);
  });
});

describe("examineReference() with a transcript", () => {
  it.each<[string, FindingCode[]]>([
    [goodTranscript, []],
    ["", ["transcript_empty"]],
    ["… – ! \n", ["transcript_empty"]],
    ["<SE>[Laughter]</SE>", ["transcript_empty"]],
    [`[SPEAKER0] ${goodTranscript}`, []],
    [goodTranscript.repeat(3), []],
    [goodTranscript.repeat(4), ["transcript_too_long"]],
    ["Good morning", ["transcript_too_short"]],
    // 40 characters are a normal 8 s of Mandarin, and would be a tenth of what Latin letters need.
    ["今天天气很好我们一起去公园散步吧路上可以买些水果和面包然后在湖边坐下来慢慢聊天到傍晚", []],
    ["今天天气很好".repeat(20), ["transcript_too_long"]],
    ["今天", ["transcript_too_short"]],
    ["きょうはてんきがいいのでこうえんにいきましょうそしておべんとうをたべます", []],
    ["오늘은 날씨가 좋아서 우리는 함께 공원에 가서 산책을 했습니다", []],
    ["1984, 2001, 1492 and 1066 were years", []],
  ])("%j in 8 seconds", (transcript, codes) => {
    expect(codesOf(audioOf(good), transcript)).toEqual(codes);
  });

  it("never repeats the words", () => {
    const secret = "Passphrase".repeat(60);
    expect(JSON.stringify(examineReference(audioOf(good), secret))).not.toContain("Passphrase");
  });

  it("measures short transcripts against the sound, so that pauses do not matter", () => {
    const spread = joined(speech(3), noise(RATE_HZ * 2, 3, 8e-4), speech(3));
    expect(codesOf(audioOf(spread), goodTranscript)).toEqual([]);
  });
});

describe("examineReference() with half of what is said", () => {
  const voices = join(import.meta.dirname, "../../../../demo-checkpoint/voices");
  const names = readdirSync(voices).flatMap((file) => (file.endsWith(".wav") ? [file.slice(0, -4)] : []));

  async function clipOf(name: string) {
    const audio = await decodeAudio(readFileSync(join(voices, `${name}.wav`)));
    return {
      audio,
      words: readFileSync(join(voices, `${name}.txt`), "utf8")
        .trim()
        .split(" "),
    };
  }
  const transcriptCodes = (audio: ReferenceAudio, words: readonly string[]) =>
    codesOf(audio, words.join(" ")).filter((code) => code.startsWith("transcript"));

  it("there are voices", () => expect(names.length).toBeGreaterThan(5));

  it.each(names)("warns for either half, and not for the whole, of %s", async (name) => {
    const { audio, words } = await clipOf(name);
    const middle = Math.ceil(words.length / 2);
    expect(transcriptCodes(audio, words)).toEqual([]);
    expect(transcriptCodes(audio, words.slice(0, middle))).toEqual(["transcript_too_short"]);
    expect(transcriptCodes(audio, words.slice(middle))).toEqual(["transcript_too_short"]);
  });

  it.each(names)("is not misled by a quiet, noisy, slow or fast recording of %s", async (name) => {
    const { audio, words } = await clipOf(name);
    const level = Math.sqrt(audio.samples.reduce((sum, x) => sum + x * x, 0) / audio.samples.length);
    const variants = [
      { ...audio, samples: audio.samples.map((x) => x / 20) },
      { ...audio, samples: mixed(audio.samples, noise(audio.samples.length, 5, level / 10)) },
      { ...audio, sampleRateHz: audio.sampleRateHz * 0.75 },
      { ...audio, sampleRateHz: audio.sampleRateHz * 1.33 },
    ];
    for (const variant of variants) expect(transcriptCodes(variant, words)).toEqual([]);
  });

  it("says how many syllables it found, and never the words", async () => {
    const { audio, words } = await clipOf("awb");
    const [finding] = examineReference(audio, words.slice(0, 7).join(" "));
    expect(finding?.message).toMatch(
      /^The transcript is too short for the reference \(got about \d+ syllables, heard about \d+\)$/,
    );
    expect(JSON.stringify(finding)).not.toContain("train");
  });
});

it("every code is tested", () => {
  const tested = [...Object.keys(FAULTS), "transcript_empty", "transcript_too_long", "transcript_too_short"];
  expect(tested.toSorted()).toEqual([...FINDING_CODES].toSorted());
});
