import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SPECIAL_TOKENS } from "./special-tokens.ts";
import { createSmallTokenizer, smallTokenizerJson } from "./testing/small-tokenizer.ts";
import { createTextTokenizer, loadTextTokenizer, type TextTokenizer } from "./text-tokenizer.ts";

const DEMO_CHECKPOINT = fileURLToPath(new URL("../../../../demo-checkpoint/checkpoint", import.meta.url));

const bytesOf = (text: string) => [...new TextEncoder().encode(text)].map((byte) => byte);
// The small vocabulary numbers printable and other byte words in byte order, so a byte's id is the byte.

describe("TextTokenizer", () => {
  const tokenizer = createSmallTokenizer();
  const ids = tokenizer.specialIds;

  it("merges by rank", () => {
    expect(tokenizer.encode("hello")).toEqual([259]);
    expect(tokenizer.encode("hell")).toEqual([258]);
    expect(tokenizer.encode("abc")).toEqual([262, 99]);
    expect(tokenizer.encode("hello wo")).toEqual([259, 260, 111]);
  });

  it("takes a word of the vocabulary whole even where merges do not make it (ignore_merges)", () => {
    expect(tokenizer.encode("zq")).toEqual([264]);
    expect(tokenizer.encode("zqz")).toEqual(bytesOf("zqz"));
  });

  it("reads both forms of merges alike", () => {
    const pairs = createSmallTokenizer("pairs");
    for (const text of ["hello world", "\n\n\n", "abcabc", "<|eot_id|>hell"]) {
      expect(pairs.encode(text)).toEqual(tokenizer.encode(text));
    }
  });

  it("recognizes special tokens of the file, the longest first, and adds none", () => {
    expect(tokenizer.encode("")).toEqual([]);
    expect(tokenizer.encode("<|eot_id|>")).toEqual([ids.endOfTurn]);
    expect(tokenizer.encode("<|AUDIO_OUT|><|AUDIO|>")).toEqual([ids.audioOut, ids.audioIn]);
    expect(tokenizer.encode("a<|eot_id|>b")).toEqual([97, ids.endOfTurn, 98]);
    expect(tokenizer.encode("<|EOT_ID|>")).toEqual(bytesOf("<|EOT_ID|>"));
    expect(tokenizer.encode("<SE>x</SE_s>")).toEqual([
      tokenizer.addedTokens.get("<SE>"),
      120,
      tokenizer.addedTokens.get("</SE_s>"),
    ]);
  });

  it("splits at Unicode White_Space, which has U+0085 and lacks U+FEFF", () => {
    // One run of whitespace whose last space belongs to no word; with JavaScript's \s, U+0085 would be punctuation.
    expect(tokenizer.encode("a  \u0085 x")).toEqual([97, ...bytesOf("  \u0085 "), 120]);
    const json = smallTokenizerJson();
    (json.model["vocab"] as Record<string, number>)["ĠĠÂħ"] = 290;
    (json.model["vocab"] as Record<string, number>)["ĠïĽ¿"] = 291;
    const withRuns = createTextTokenizer(json, "test");
    expect(withRuns.encode("a  \u0085 x")).toEqual([97, 290, 32, 120]);
  });

  it("cuts a number into threes and keeps a lone space", () => {
    expect(tokenizer.encode("SPEAKER0: ").at(-1)).toBe(32);
    expect(tokenizer.encode("1234")).toEqual(bytesOf("1234"));
  });

  it("spells any well-formed text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-composite" }), (text) => {
        const words = new Map(
          Object.entries(smallTokenizerJson().model["vocab"] as Record<string, number>).map(([word, id]) => [id, word]),
        );
        const spelled = tokenizer
          .encode(text)
          .map((id) => words.get(id) ?? "?")
          .join("");
        const expected = bytesOf(text)
          .map((byte) => words.get(byte))
          .join("");
        expect(spelled).toBe(expected);
      }),
    );
  });

  it.each([
    ["words", "the sun rises in the east. "],
    ["one letter", "a"],
    ["spaces", " "],
    ["line ends", "\n"],
    ["spaces and line ends", " \n"],
    ["opening brackets", "<|"],
    ["most of a special token", "<|reserved_special_token_"],
    ["ideographs", "今天天气真好"],
  ])("encodes 20000 characters of %s in linear time", (_name, unit) => {
    const timeFor = (length: number) => {
      const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      const start = performance.now();
      tokenizer.encode(text);
      return performance.now() - start;
    };
    // Sixteen times as long would be quadratic, four times linear. The best of several tries says nothing of the machine.
    let [short, long] = [timeFor(5000), timeFor(20_000)];
    for (let tries = 0; tries < 50 && long > 10 * short; tries++) {
      short = Math.min(short, timeFor(5000));
      long = Math.min(long, timeFor(20_000));
    }
    expect(long / short).toBeLessThan(10);
  });

  it("tells how many embedding rows it needs", () => {
    expect(tokenizer.idCount).toBe(300 + Object.keys(SPECIAL_TOKENS).length + 6);
  });
});

describe("loadTextTokenizer", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tokenizer-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const write = (name: string, content: string | Uint8Array) => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    return file;
  };

  it("takes a folder or a file", async () => {
    const fromFolder = await loadTextTokenizer(DEMO_CHECKPOINT);
    const fromFile = await loadTextTokenizer(path.join(DEMO_CHECKPOINT, "tokenizer.json"));
    expect(fromFolder.encode("The sun rises in the east.")).toEqual(fromFile.encode("The sun rises in the east."));
  });

  it("reads special ids from the checkpoint: of a size of its own", async () => {
    const demo: TextTokenizer = await loadTextTokenizer(DEMO_CHECKPOINT);
    const config = JSON.parse(readFileSync(path.join(DEMO_CHECKPOINT, "config.json"), "utf8")) as Record<
      string,
      number
    >;
    expect(demo.specialIds.beginOfText).toBe(config["bos_token_id"]);
    expect(demo.specialIds.audioOutBegin).toBe(config["audio_bos_token_id"]);
    expect(demo.specialIds.audioDelay).toBe(config["audio_delay_token_id"]);
    expect(demo.addedTokens.size).toBe(256);
    expect(demo.encode("<|start_header_id|>assistant<|end_header_id|>\n\n")).toHaveLength(
      demo.encode("assistant").length + 3,
    );
  });

  it.each([
    ["missing folder", "nowhere", "MODEL_NOT_FOUND"],
    ["missing file", "empty-folder/tokenizer.json", "MODEL_NOT_FOUND"],
  ])("refuses a %s", async (_name, relative, code) => {
    await expect(loadTextTokenizer(path.join(folder, relative))).rejects.toMatchObject({ code });
  });

  it("refuses what is not JSON in UTF-8, or is far too large", async () => {
    await expect(loadTextTokenizer(write("a.json", "{"))).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
    await expect(loadTextTokenizer(write("b.json", Uint8Array.of(0x22, 0xff, 0x22)))).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
    });
    const large = write("c.json", "{}");
    truncateSync(large, 300 * 1024 * 1024);
    await expect(loadTextTokenizer(large)).rejects.toThrow(/too large/u);
  });
});

type SmallJson = ReturnType<typeof smallTokenizerJson>;

describe("a damaged or foreign tokenizer.json", () => {
  const vocabOf = (json: SmallJson) => json.model["vocab"] as Record<string, unknown>;
  const firstToken = (json: SmallJson) => {
    const [token] = json.added_tokens;
    if (token === undefined) throw new Error("the small tokenizer has no added token");
    return token;
  };
  const mergesOf = (json: SmallJson) => json.model["merges"] as unknown[];

  const CORRUPT: [string, (json: SmallJson) => void, RegExp][] = [
    ["without a model", (json) => Reflect.deleteProperty(json, "model"), /model/u],
    ["without added tokens", (json) => Reflect.deleteProperty(json, "added_tokens"), /added_tokens/u],
    ["without a pre-tokenizer", (json) => Reflect.deleteProperty(json, "pre_tokenizer"), /pre_tokenizer/u],
    ["without a vocabulary", (json) => Reflect.deleteProperty(json.model, "vocab"), /model\.vocab: it is missing/u],
    ["with a list as vocabulary", (json) => (json.model["vocab"] = []), /model\.vocab is not an object/u],
    ["without merges", (json) => Reflect.deleteProperty(json.model, "merges"), /model\.merges: it is missing/u],
    ["with a byte missing", (json) => Reflect.deleteProperty(vocabOf(json), "!"), /1 of the 256 byte words/u],
    ["with a wrong id", (json) => (vocabOf(json)["a"] = -1), /"a" is not a whole number/u],
    ["with an id twice", (json) => (vocabOf(json)["a"] = 98), /id 98 is given twice/u],
    ["with a merge of unknown words", (json) => mergesOf(json).push("x yz"), /merges\[8\] joins/u],
    ["with a merge of three words", (json) => mergesOf(json).push("a b c"), /merges\[8\] is not a pair/u],
    ["with both forms of merges", (json) => mergesOf(json).push(["h", "e"]), /merges\[8\] is not a pair/u],
    ["with a special token twice", (json) => json.added_tokens.push({ ...firstToken(json), id: 999 }), /given twice/u],
    ["with a special token on a taken id", (json) => (firstToken(json).id = 5), /id 5 of .* is taken/u],
  ];

  it.each(CORRUPT)("%s is MODEL_CORRUPT", (_name, damage, message) => {
    const json = smallTokenizerJson();
    damage(json);
    const create = () => createTextTokenizer(json, "tokenizer.json");
    expect(create).toThrowError(expect.objectContaining({ code: "MODEL_CORRUPT" }));
    expect(create).toThrowError(message);
  });

  const UNSUPPORTED: [string, (json: SmallJson) => void, RegExp][] = [
    ["another model", (json) => (json.model["type"] = "WordPiece"), /"WordPiece", not BPE/u],
    ["another pre-tokenizer", (json) => (json.pre_tokenizer = { type: "Whitespace" }), /not byte-level/u],
    [
      "an unknown part",
      (json) => (json.pre_tokenizer = { type: "Sequence", pretokenizers: [{ type: "ByteLevel" }, { type: "New" }] }),
      /New/u,
    ],
    ["an unknown normalizer", (json) => (json.normalizer = { type: "New" }), /New/u],
    ["dropout", (json) => (json.model["dropout"] = 0.1), /dropout/u],
    ["word-end marks", (json) => (json.model["end_of_word_suffix"] = "</w>"), /end_of_word_suffix/u],
    ["prefix marks", (json) => (json.model["continuing_subword_prefix"] = "##"), /continuing_subword_prefix/u],
    ["stripping tokens", (json) => (firstToken(json).lstrip = true), /1 added tokens strip/u],
    [
      "missing special tokens",
      (json) => (json.added_tokens = json.added_tokens.filter(({ content }) => !content.includes("audio_"))),
      /<\|audio_bos\|> <\|audio_out_bos\|> <\|audio_eos\|>/u,
    ],
  ];

  it.each(UNSUPPORTED)("one with %s is MODEL_UNSUPPORTED", (_name, change, message) => {
    const json = smallTokenizerJson();
    change(json);
    const create = () => createTextTokenizer(json, "tokenizer.json");
    expect(create).toThrowError(expect.objectContaining({ code: "MODEL_UNSUPPORTED" }));
    expect(create).toThrowError(message);
  });

  it("lists all problems", () => {
    const json = smallTokenizerJson();
    Reflect.deleteProperty(vocabOf(json), "!");
    mergesOf(json).push("x yz");
    expect(() => createTextTokenizer(json, "t")).toThrowError(
      expect.objectContaining({
        problems: [expect.stringContaining("byte words"), expect.stringContaining("merges[8]")],
      }),
    );
  });

  it.each([null, [], "text", 5, {}, { model: {} }, { added_tokens: {}, model: [], pre_tokenizer: 3 }])(
    "%j is MODEL_CORRUPT",
    (json) => {
      expect(() => createTextTokenizer(json, "t")).toThrowError(expect.objectContaining({ code: "MODEL_CORRUPT" }));
    },
  );
});
