import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { VOICE_PROFILES } from "@higgs-worker/higgs-audio/parts";
import { smallTokenizerJson } from "@higgs-worker/higgs-audio/testing";

// Ids of the small tokenizer: bytes for themselves, "\n\n" is 261, special tokens from 300 in the order of SPECIAL_TOKENS.
const BEGIN = 300;
const START_HEADER = 302;
const END_HEADER = 303;
const END_OF_TURN = 304;
const AUDIO_OUT_BEGIN = 307;
const AUDIO_END = 308;
const AUDIO_IN = 309;
const AUDIO_OUT = 310;
const AUDIO_DELAY = 311;
const NEWLINES = 261;

const bytes = (text: string) => [...new TextEncoder().encode(text)];
const header = (role: string) => [START_HEADER, ...bytes(role), END_HEADER, NEWLINES];
const turn = (role: string, ...content: number[]) => [...header(role), ...content, END_OF_TURN];
const matrix = (frames: number, value: number) =>
  Array.from({ length: 8 }, (_, k) => Array<number>(frames).fill(value + k));

const INSTRUCTION = "Generate audio following instruction.";
// "ll" is one word of the small vocabulary, 257.
const SYSTEM_TURN = turn("system", ...bytes("Generate audio fo"), 257, ...bytes("owing instruction."));

/** T frames as delayed columns, written out: codebook k holds BOS up to column k, then its codes, then EOS. */
function delayed(codes: readonly (readonly number[])[]): number[][] {
  return codes.map((row, k) => [...Array<number>(k + 1).fill(1024), ...row, ...Array<number>(8 - k).fill(1025)]);
}

const VOICE = matrix(2, 10);
const GENERATED = [matrix(1, 40), matrix(2, 50)];

const JOBS = {
  voices: { anna: { transcript: " Yo. \n", codes: VOICE } },
  generated: GENERATED,
  profiles: Object.fromEntries(VOICE_PROFILES),
  jobs: [
    {
      job: { transcript: "Yo" },
      fixed_messages: [{ role: "system", content: [{ text: INSTRUCTION }] }],
      chunks: ["Yo."],
      prompts: [
        {
          ids: [BEGIN, ...SYSTEM_TURN, ...turn("user", ...bytes("Yo.")), ...header("assistant")],
          audio_clips: [],
          audio_out_clips: [],
        },
      ],
    },
    {
      job: {
        transcript: "[SPEAKER0] x\n[SPEAKER1] y",
        ref_audio: "anna",
        chunk_method: "speaker",
        generation_chunk_buffer_size: 1,
      },
      fixed_messages: [
        { role: "user", content: [{ text: "Yo." }] },
        { role: "assistant", content: [{ audio: true }] },
      ],
      chunks: ["[SPEAKER0] x", "[SPEAKER1] y."],
      prompts: [
        {
          ids: [
            BEGIN,
            ...turn("user", ...bytes("Yo.")),
            ...turn("assistant", AUDIO_OUT_BEGIN, AUDIO_OUT, AUDIO_END),
            ...turn("user", ...bytes("[SPEAKER0] x")),
            ...header("assistant"),
          ],
          audio_clips: [],
          audio_out_clips: ["voice:anna"],
        },
        {
          ids: [
            BEGIN,
            ...turn("user", ...bytes("Yo.")),
            ...turn("assistant", AUDIO_OUT_BEGIN, AUDIO_OUT, AUDIO_END),
            ...turn("user", ...bytes("[SPEAKER0] x")),
            ...turn("assistant", AUDIO_OUT_BEGIN, AUDIO_OUT, AUDIO_END),
            ...turn("user", ...bytes("[SPEAKER1] y.")),
            ...header("assistant"),
          ],
          audio_clips: [],
          audio_out_clips: ["voice:anna", "generated:0"],
        },
      ],
    },
    { job: { transcript: "Yo", ref_audio: "nobody" }, error: "voice file missing" },
    { job: { transcript: "Yo", ref_audio: "profile:nobody" }, error: "profile missing" },
    { job: { transcript: "Yo", chunk_method: "letter" }, error: "Unknown chunk method: letter" },
  ],
};

const NATIVE = {
  cases: [
    {
      name: "clone",
      messages: [
        { role: "system", content: " S " },
        { role: "user", content: [{ type: "text", text: " Yo. " }] },
        { role: "assistant", content: [{ type: "audio", clip: "noise" }] },
      ],
      text:
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|>" +
        "<|start_header_id|>user<|end_header_id|>\n\nYo.<|eot_id|>" +
        "<|start_header_id|>assistant<|end_header_id|>\n\n<|audio_out_bos|><|AUDIO_OUT|><|audio_eos|><|eot_id|>" +
        "<|start_header_id|>assistant<|end_header_id|>\n\n<|audio_out_bos|>",
      ids: [
        BEGIN,
        ...turn("system", ...bytes("S")),
        ...turn("user", ...bytes("Yo.")),
        ...turn(
          "assistant",
          AUDIO_OUT_BEGIN,
          ...Array<number>(4).fill(AUDIO_OUT),
          ...Array<number>(7).fill(AUDIO_DELAY),
          AUDIO_END,
        ),
        ...header("assistant"),
        AUDIO_OUT_BEGIN,
      ],
      clips: ["noise"],
      columns: delayed(VOICE),
    },
  ],
};

const ROWS = {
  cases: [
    {
      name: "mixed",
      ids: [BEGIN, AUDIO_IN, 65, 66, AUDIO_OUT, 67],
      clips: [
        { kind: "in", codes: VOICE },
        { kind: "out", codes: GENERATED[0] },
      ],
      columns: [delayed(VOICE), delayed(GENERATED[0] ?? [])],
      rows: 4 + 11 + 10,
      audio_runs: [
        [1, 11],
        [14, 10],
      ],
    },
  ],
};

const CHUNKS = {
  cases: [
    { text: "a b c", method: "word", max_words: 2, max_turns: 1, language: "en", chunks: ["a b", "c\n\n"] },
    {
      text: "你好",
      method: "word",
      max_words: 1,
      max_turns: 1,
      language: "zh",
      segments: [["你", "好"]],
      chunks: ["你", "好\n\n"],
    },
    { text: "a", method: null, max_words: 1, max_turns: 1, chunks: ["a"] },
  ],
};

const TEXT_IDS = [
  { text: "", ids: [] },
  { text: "hello", ids: [259] },
  { text: "<|eot_id|>zq", ids: [END_OF_TURN, 264] },
];

const cases = (vocabulary: string) => ({ vocabulary, base: BEGIN, add_special_tokens: false, cases: TEXT_IDS });
const ENDS = { bos_token: "<|begin_of_text|>", eos_token: "<|end_of_text|>" };
const streams = { audio_stream_bos_id: 1024, audio_stream_eos_id: 1025 };

/** Every file of a golden set that the text groups read, by its path; worked out by hand from the small tokenizer. */
export function smallGoldenSet(): Record<string, unknown> {
  return {
    "tokenizer/tiny/tokenizer.json": smallTokenizerJson("strings"),
    "tokenizer/tiny/tokenizer_config.json": ENDS,
    "tiny/lm-boson/tokenizer.json": smallTokenizerJson("strings"),
    "tiny/lm-boson/tokenizer_config.json": ENDS,
    "tiny/lm-boson/config.json": { audio_num_codebooks: 8, audio_codebook_size: 1024, ...streams },
    "tiny/lm-native/tokenizer.json": smallTokenizerJson("pairs"),
    "tiny/lm-native/tokenizer_config.json": ENDS,
    "tiny/lm-native/config.json": { num_codebooks: 8, codebook_size: 1026, ...streams },
    "tokenizer/tiny-cases.json": cases("tiny"),
    "tokenizer/full-cases.json": cases("full"),
    "prompts/normalise.json": { cases: [{ in: "（你好）", out: "你好." }] },
    "prompts/chunks.json": CHUNKS,
    "prompts/jobs.json": JOBS,
    "prompts/native.json": NATIVE,
    "lm/cases.json": ROWS,
    "codec/encode.json": { clips: [{ name: "noise", native_codes: VOICE }] },
  };
}

/** Puts exactly these files into the folder. */
export function writeGoldenSet(directory: string, files: Record<string, unknown>): void {
  rmSync(directory, { recursive: true, force: true });
  for (const [relativePath, content] of Object.entries(files)) {
    const file = path.join(directory, relativePath);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(content));
  }
}
