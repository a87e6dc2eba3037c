import { isHiggsError } from "@higgs-worker/base";
import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type * as NearestName from "../names/nearest-name.ts";
import { parseJobInput } from "./parse-input.ts";

const suggestions = vi.hoisted(() => ({ count: 0 }));
vi.mock("../names/nearest-name.ts", async (importOriginal) => {
  const original = await importOriginal<typeof NearestName>();
  return {
    ...original,
    suggestion: (...args: Parameters<typeof original.suggestion>) => {
      suggestions.count++;
      return original.suggestion(...args);
    },
  };
});

const limits = { maxTranscriptChars: 100, contextLength: 4096 };
const parse = (fields: Record<string, unknown>) => parseJobInput({ transcript: "Hello.", ...fields }, limits);

function messageOf(input: unknown): string {
  try {
    parseJobInput(input, limits);
  } catch (error) {
    if (isHiggsError(error)) return error.toString();
    throw error;
  }
  return "";
}

describe("parseJobInput()", () => {
  it("fills in the defaults of the contract", () => {
    expect(parse({})).toEqual({
      transcript: "Hello.",
      ref_audio: null,
      ref_audio_in_system_message: false,
      scene_prompt: "quiet_indoor",
      normalize: true,
      text_format: "plain",
      spell_out: false,
      language: null,
      code: "skip",
      emoji: "silent",
      temperature: 1,
      top_k: 50,
      top_p: 0.95,
      min_p: 0,
      max_new_tokens: 2048,
      chunk_method: null,
      chunk_max_word_num: 200,
      chunk_max_num_turns: 1,
      generation_chunk_buffer_size: null,
      trim: null,
      pause_ms: null,
      lookahead_frames: null,
      allow_truncated: false,
      voice_consistency: null,
      guard: true,
      max_retries: 2,
      retry_seeded: false,
      ras_win_len: 7,
      ras_win_max_num_repeat: 2,
      seed: null,
      s3_bucket: null,
      s3_key: null,
      output_format: "wav",
      sample_rate: null,
      speed: 1,
      loudness: null,
      delivery: "auto",
      put_url: null,
      captions: null,
      stream: false,
    });
  });

  it("reads lengths of pauses, each of which may be missing or null", () => {
    const given = { trim: false, pause_ms: { sentence: 0, turn: 250.5, clause: null }, lookahead_frames: 25 };
    expect(parse(given)).toMatchObject({ trim: false, lookahead_frames: 25 });
    expect(parse(given).pause_ms).toEqual({ sentence: 0, turn: 250.5 });
    expect(parse({ pause_ms: {} }).pause_ms).toEqual({});
  });

  it("reads the seed's example", () => {
    const input = {
      transcript: "Hello world, this is a test.",
      ref_audio: "belinda",
      scene_prompt: "quiet indoor setting with warm, friendly tone",
      temperature: 0.8,
      top_p: 0.9,
      s3_bucket: "my-audio-bucket",
      s3_key: "output/generation_123.wav",
    };
    expect(parseJobInput(input, limits)).toMatchObject(input);
  });

  it("takes null for every optional field as left out", () => {
    const defaults = parse({});
    const nulls = Object.fromEntries(
      Object.keys(defaults)
        .filter((name) => name !== "transcript")
        .map((name) => [name, null]),
    );
    expect(parse(nulls)).toEqual(defaults);
  });

  it.each([
    [{ temperature: 0 }],
    [{ temperature: 2 }],
    [{ top_k: 0 }],
    [{ top_k: 1026 }],
    [{ top_p: 1 }],
    [{ top_p: 0.001 }],
    [{ min_p: 0 }],
    [{ min_p: 0.999 }],
    [{ max_new_tokens: 16 }],
    [{ max_new_tokens: 4096 }],
    [{ ras_win_len: 0 }],
    [{ generation_chunk_buffer_size: 2 }],
    [{ seed: Number.MAX_SAFE_INTEGER }],
    [{ chunk_method: "word" }],
    [{ chunk_method: "none" }],
    [{ chunk_method: "sentence" }],
    [{ delivery: "base64" }],
    [{ transcript: "𠀀".repeat(100) }],
    [{ transcript: "ha <SE>[Laughter]</SE> [SPEAKER0] x < y | z >" }],
    [{ ref_audio: ["a", { audio_base64: "AA==", transcript: "hi" }] }],
  ])("allows %j", (fields) => {
    expect(parse(fields)).toMatchObject(fields);
  });

  it.each(["auto", "None"])("chunk_method %s means null", (word) => {
    expect(parse({ chunk_method: word }).chunk_method).toBeNull();
  });

  it.each([
    [null, "input must be an object (got null)"],
    [[], "input must be an object (got array)"],
    ["hello", "input must be an object (got string)"],
    [{}, "transcript is required"],
    [{ transcript: null }, "transcript is required"],
    [{ transcript: "" }, "transcript is empty"],
    [{ transcript: " \n " }, "transcript is empty"],
    [{ transcript: "[SPEAKER0] [SPEAKER١]" }, "transcript has nothing to speak"],
    [{ transcript: "… 🙂!" }, "transcript has nothing to speak"],
    [{ transcript: "\u200b\u3164" }, "transcript has nothing to speak"],
    [{ transcript: "<SE></SE>【SPEAKER0】" }, "transcript has nothing to speak"],
    [{ transcript: 5 }, "transcript must be a string (got number)"],
    [{ transcript: "x".repeat(101) }, "transcript is too long (got 101 characters, limit 100)"],
    [
      { transcript: "Hi <|eot_id|> there" },
      "transcript has a control string of the form <|…|> (got one at character 4",
    ],
    [{ transcript: "a\ud83d" }, "transcript is not valid Unicode"],
    [{ transcript: "a", scene_prompt: "<|scene_desc_end|>" }, "scene_prompt has a control string"],
    [{ transcript: "a", scene_prompt: "x".repeat(2001) }, "scene_prompt is too long (got 2001 characters, limit 2000)"],
    [{ transcript: "a", temperature: "hot" }, "temperature must be a number (got string)"],
    [{ transcript: "a", temperature: 2.1 }, "temperature is out of range (got 2.1, limit 0 … 2)"],
    [{ transcript: "a", temperature: -1 }, "temperature is out of range"],
    [{ transcript: "a", temperature: Number.NaN }, "temperature must be a number (got NaN)"],
    [{ transcript: "a", top_k: 1027 }, "top_k is out of range (got 1027, limit 0 … 1026)"],
    [{ transcript: "a", top_k: 1.5 }, "top_k must be a whole number (got 1.5)"],
    [{ transcript: "a", top_p: 0 }, "top_p is out of range (got 0, limit above 0 … 1)"],
    [{ transcript: "a", min_p: 1 }, "min_p is out of range (got 1, limit 0 … below 1)"],
    [{ transcript: "a", min_p: -0.1 }, "min_p is out of range"],
    [{ transcript: "a", max_new_tokens: 15 }, "max_new_tokens is out of range (got 15, limit 16 … 4096)"],
    [{ transcript: "a", max_new_tokens: 4097 }, "limit 16 … 4096"],
    [
      { transcript: "a", chunk_method: "words" },
      'chunk_method must be "auto", "none", "word", "speaker", "sentence" or null (got "words"), did you mean word?',
    ],
    [{ transcript: "a", chunk_max_word_num: 0 }, "chunk_max_word_num is out of range"],
    [{ transcript: "a", generation_chunk_buffer_size: -1 }, "generation_chunk_buffer_size is out of range"],
    [{ transcript: "a", seed: -1 }, "seed is out of range"],
    [{ transcript: "a", trim: "yes" }, "trim must be true or false (got string)"],
    [
      { transcript: "a", pause_ms: 300 },
      "pause_ms must be an object with any of clause, sentence, paragraph, turn (got number)",
    ],
    [{ transcript: "a", pause_ms: [] }, "pause_ms must be an object"],
    [
      { transcript: "a", pause_ms: { sentense: 1 } },
      'pause_ms has no "sentense", only clause, sentence, paragraph, turn, did you mean sentence?',
    ],
    [{ transcript: "a", pause_ms: { turn: -1 } }, "pause_ms.turn is out of range (got -1, limit 0 … 10000)"],
    [{ transcript: "a", pause_ms: { turn: 10_001 } }, "pause_ms.turn is out of range (got 10001, limit 0 … 10000)"],
    [{ transcript: "a", pause_ms: { clause: "1" } }, "pause_ms.clause must be a number (got string)"],
    [{ transcript: "a", lookahead_frames: 1.5 }, "lookahead_frames must be a whole number"],
    [{ transcript: "a", seed: 2 ** 53 }, "seed is out of range"],
    [{ transcript: "a", seed: "7" }, "seed must be a whole number (got string), without quotes"],
    [
      { transcript: "a", sample_rate: 96_000 },
      "sample_rate must be one of 8000, 16000, 22050, 24000, 44100, 48000 (got 96000)",
    ],
    [
      { transcript: "a", sample_rate: "24000" },
      "sample_rate must be one of 8000, 16000, 22050, 24000, 44100, 48000 (got string), without quotes",
    ],
    [
      { transcript: "a", output_format: "opus", sample_rate: 44_100 },
      "sample_rate is not one that opus has (got 44100, limit 8000, 16000, 24000, 48000)",
    ],
    [
      { transcript: "a", output_format: "ulaw", sample_rate: 16_000 },
      "sample_rate is not one that ulaw has (got 16000, limit 8000)",
    ],
    [
      { transcript: "a", loudness: -16, stream: true },
      "loudness is only known when all of the speech is there; leave out loudness or stream",
    ],
    [{ transcript: "a", loudness: 0 }, "loudness is out of range (got 0, limit -50 … -9)"],
    [{ transcript: "a", speed: 5 }, "speed is out of range (got 5, limit 0.25 … 4)"],
    [{ transcript: "a", speed: 0 }, "speed is out of range (got 0, limit 0.25 … 4)"],
    [
      { transcript: "a", output_format: "mp33" },
      'output_format must be one of wav, mp3, flac, opus, pcm, ulaw, alaw (got "mp33"), did you mean mp3?',
    ],
    [
      { transcript: "a", delivery: "S3" },
      'delivery must be one of auto, s3, base64, file, put_url (got "S3"), did you mean s3?',
    ],
    [{ transcript: "a", stream: "yes" }, "stream must be true or false"],
    [{ transcript: "a", language: "de_DE" }, "language is not a language tag (BCP 47, such as en, de-CH or zh-Hant)"],
    [{ transcript: "a", language: "e".repeat(65) }, "language is too long (got 65 characters, limit 64)"],
    [{ transcript: "a", language: 5 }, "language must be a string (got number)"],
    [{ transcript: "a", s3_bucket: "my bucket" }, "s3_bucket is not a bucket name"],
    [{ transcript: "a", s3_key: "../../etc/passwd" }, "s3_key has an empty segment, `.` or `..`"],
    [{ transcript: "a", ref_audio: 5 }, "ref_audio must be a voice's name"],
    [{ transcript: "a", ref_audio: { audio_base64: 5 } }, "ref_audio.audio_base64 must be a string (got number)"],
    [{ transcript: "a", ref_audio: ["slt", 5] }, "ref_audio[1] must be a voice's name"],
    [{ transcript: "a", ref_audio: ["slt", null] }, "ref_audio[1] must be a voice's name"],
    [{ transcript: "a", ref_audio: ["slt", " "] }, "ref_audio[1] is empty"],
    [
      { transcript: "a", ref_audio: [{ audio_base64: "AA==", transcrpit: "hi" }] },
      'ref_audio[0] has an unknown field "transcrpit", did you mean transcript?',
    ],
    [
      { transcript: "a", ref_audio: { audioBase64: "AA==" } },
      'ref_audio has an unknown field "audioBase64", did you mean audio_base64?',
    ],
    [{ transcript: "a", ref_audio: Array.from({ length: 17 }, () => "slt") }, "too many entries (got 17, limit 16)"],
    [{ transcript: "a", temperature: "0.8" }, "temperature must be a number (got string), without quotes"],
    [{ transcript: "a", stream: "true" }, "stream must be true or false (got string)"],
    [{ transcript: "a", tempreature: 1 }, 'unknown field "tempreature", did you mean temperature?'],
    [{ transcript: "a", topK: 1 }, 'unknown field "topK", did you mean top_k?'],
    [{ text: "a" }, 'unknown field "text"'],
    [JSON.parse('{"transcript": "a", "__proto__": {"seed": 1}}'), 'unknown field "__proto__"'],
    [{ transcript: "a", toString: 1 }, 'unknown field "toString"'],
  ])("refuses %j", (input, expected) => {
    const message = messageOf(input);
    expect(message).toMatch(/^INVALID_INPUT: Cannot read the job input: /);
    expect(message).toContain(expected);
  });

  it("lists all problems in one message", () => {
    const message = messageOf({ transcript: "", temperature: 9, seeed: 1, top_k: "x" });
    for (const part of [
      "transcript is empty",
      "temperature is out of range",
      'unknown field "seeed", did you mean seed?',
      "top_k must be",
    ]) {
      expect(message).toContain(part);
    }
  });

  it.each<[string, (fields: Record<string, unknown>) => unknown]>([
    ["beside the transcript", (fields) => ({ transcript: "a", ...fields })],
    ["in a clip", (fields) => ({ transcript: "a", ref_audio: { audio_base64: "AA==", ...fields } })],
    ["in each of 16 clips", (fields) => ({ transcript: "a", ref_audio: Array.from({ length: 16 }, () => fields) })],
  ])("100 000 unknown fields %s cost no more than the 20 that are shown", (_where, inputOf) => {
    const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`field_${index}`, 1]));
    suggestions.count = 0;
    const message = messageOf(inputOf(fields));
    expect(message).toMatch(/; and \d+ more$/);
    expect(message.length).toBeLessThan(2000);
    expect(suggestions.count).toBe(20);
  });

  it("a text of 20 MB is measured and not searched", () => {
    const search = vi.spyOn(String.prototype, "search");
    const message = messageOf({ transcript: "<|x|>".repeat(4_000_000), scene_prompt: "<|x|>".repeat(4_000_000) });
    expect(message).toContain("transcript is too long (got 20000000 characters, limit 100)");
    expect(message).not.toContain("control");
    expect(search).not.toHaveBeenCalled();
    search.mockRestore();
  });

  it("never repeats what could be the user's text", () => {
    const secret = "my secret sentence";
    const message = messageOf({
      transcript: `${secret} <|x|>`,
      scene_prompt: 5,
      output_format: secret,
      [secret]: 1,
      chunk_method: secret,
    });
    expect(message).not.toContain("secret");
  });

  it("any value is an input or one INVALID_INPUT", () => {
    const field = fc.constantFrom(
      "transcript",
      "ref_audio",
      "top_k",
      "seed",
      "s3_key",
      "delivery",
      "chunk_method",
      "other",
    );
    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), (input) => {
        const message = messageOf(input);
        return message === "" || message.startsWith("INVALID_INPUT: Cannot read the job input: ");
      }),
    );
  });
});
