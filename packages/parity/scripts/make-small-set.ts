/**
 * Makes the small golden set that ships with this package out of a large one, at most 3 MB:
 *
 *   tsx --conditions=source packages/parity/scripts/make-small-set.ts LARGE_SET packages/parity/golden
 *
 * Every expected value is one of the references'. What is left out: cases, values, and those parts of the tiny checkpoints
 * that no case touches (rows of tables that no code uses, tensors that the product never reads). The last bits
 * of the codec's weights are rounded away; what that changes stays well within the tolerance. lm-boson holds the same weights as
 * lm-native under other names, so only the names are kept; codec-boson, a pickle, is not covered.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pack, PACKED_SUFFIX } from "../src/bundle/packed-file.ts";
import { formatSafetensors, parseSafetensors, type StoredTensor } from "../src/bundle/safetensors-bytes.ts";
import { DERIVED_SHARDS_FILE, SET_FILE } from "../src/bundle/set-files.ts";

const LIMIT_BYTES = 3_000_000;

/** Two clips in the prompt, and a greedy sequence that ends by itself under both rule sets. */
const LM_CASES = ["system-refs"];
/** Ids of each codebook whose logits are compared at every position, beside the largest. */
const KEPT_SUBSET = (id: number) => id % 256 === 0 || id >= 1024;
const KEPT_TOP = 1;
const DECODED_FRAMES = ["1", "7"];
const DECODE_STAGES = ["quantised", "fc2", "dac.conv1", "dac.block.0"];
const ENCODED_CLIPS = ["m0", "short", "one-frame", "tiny-padded"];
const ENCODE_STAGES = [
  "hubert.conv",
  "hubert.state.0",
  "hubert.mean",
  "semantic.block.0",
  "semantic.block.1",
  "dac.block.3",
  "dac.out",
];
const RESAMPLED = ["8k-mono-u8.wav", "44k1-mono-s16.wav"];
/** Every n-th warper row. */
const WARPER_STEP = 3;
/** Value of codebook rows that no case uses. */
const FAR = 64;
/** Bits of the codec's f32 weights that are rounded away: more where less depends on them. The first that fits counts. */
const CLEARED_BITS: readonly (readonly [RegExp, number])[] = [
  [/^acoustic_encoder\.(?:block\.4|conv2)\./, 9],
  [/^acoustic_encoder\./, 8],
  [/^(?:semantic_model|encoder_semantic)\./, 8],
  [/^acoustic_decoder\./, 6],
];

const [large = "", target = ""] = process.argv.slice(2);
if (large === "" || target === "") throw new Error("usage: make-small-set.ts LARGE_SET TARGET_FOLDER");

let total = 0;

function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(large, path)));
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(large, path), "utf8"));
}

function write(path: string, content: Uint8Array | string): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const packed = pack(path, bytes);
  const file = join(target, `${path}${PACKED_SUFFIX}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, packed);
  total += packed.length;
  process.stdout.write(`${String(packed.length).padStart(8)} ${path}\n`);
}

function writeJson(path: string, value: unknown): void {
  write(path, JSON.stringify(value));
}

function copy(...paths: readonly string[]): void {
  for (const path of paths) write(path, read(path));
}

/** Keeps the given rows of a table, and its ends, without which it looks broken off; makes the others zero. */
function keepRows(tensor: StoredTensor, given: ReadonlySet<number>): StoredTensor {
  const rowCount = tensor.shape[0] ?? 1;
  const rows = new Set([...given, 0, rowCount - 1]);
  const rowBytes = tensor.bytes.length / rowCount;
  const bytes = new Uint8Array(tensor.bytes.length);
  for (const row of rows) {
    bytes.set(tensor.bytes.subarray(row * rowBytes, (row + 1) * rowBytes), row * rowBytes);
  }
  return { ...tensor, bytes };
}

function integersOf({ dtype, bytes }: StoredTensor): number[] {
  if (dtype !== "I32") throw new Error(`expected I32, got ${dtype}`);
  return [...new Int32Array(bytes.slice().buffer)];
}

/** The given places of the last dimension. */
function pickLast(tensor: StoredTensor, places: readonly number[]): StoredTensor {
  const width = tensor.shape.at(-1) ?? 1;
  const values = new Uint32Array(tensor.bytes.slice().buffer);
  const rows = values.length / width;
  const picked = Uint32Array.from({ length: rows * places.length }, (_, index) => {
    return values[Math.floor(index / places.length) * width + (places[index % places.length] ?? 0)] ?? 0;
  });
  return {
    dtype: tensor.dtype,
    shape: [...tensor.shape.slice(0, -1), places.length],
    bytes: new Uint8Array(picked.buffer),
  };
}

interface LmCase {
  readonly name: string;
  readonly ids: readonly number[];
  readonly columns: readonly (readonly (readonly number[])[])[];
  readonly forced_columns: readonly (readonly number[])[];
}

interface GreedyCase {
  readonly name: string;
  readonly boson_columns: readonly (readonly (readonly number[])[])[];
  readonly native_columns: readonly (readonly number[])[];
}

const CODEBOOK_IDS = 1026;

/** Rows of the audio tables, of inputs and of outputs, that the cases need. */
const inputRows = new Set<number>();
const headRows = new Set<number>();
const rowOf = (codebook: number, id: number) => codebook * CODEBOOK_IDS + id;

function makeLmCases(): void {
  const { cases, ...about } = readJson("lm/cases.json") as { cases: LmCase[] };
  const kept = cases.filter(({ name }) => LM_CASES.includes(name));
  writeJson("lm/cases.json", { ...about, cases: kept });
  for (const { columns, forced_columns: forced } of kept) {
    for (const codebooks of [...columns, forced]) {
      for (const [codebook, ids] of codebooks.entries()) for (const id of ids) inputRows.add(rowOf(codebook, id));
    }
  }
  const { cases: greedy, ...rest } = readJson("lm/greedy.json") as { cases: GreedyCase[] };
  const keptGreedy = greedy.filter(({ name }) => LM_CASES.includes(name));
  writeJson("lm/greedy.json", { ...rest, cases: keptGreedy });
  for (const { boson_columns: segments, native_columns: native } of keptGreedy) {
    for (const column of [...(segments[0] ?? []), ...native]) {
      for (const [codebook, id] of column.entries()) {
        inputRows.add(rowOf(codebook, id));
        headRows.add(rowOf(codebook, id));
      }
    }
  }
  for (const { name } of kept) makeLmTensors(name);
}

function makeLmTensors(name: string): void {
  const path = `lm/${name}.safetensors`;
  const tensors = parseSafetensors(read(path));
  const small = new Map<string, StoredTensor>();
  const subset = integersOf(tensors.get("subset_ids") as StoredTensor);
  const places = subset.flatMap((id, index) => (KEPT_SUBSET(id) ? [index] : []));
  const top = Array.from({ length: KEPT_TOP }, (_, index) => index);
  for (const [key, tensor] of tensors) {
    if (/text_logits|logsumexp|full_head|full_tail/.test(key)) continue;
    if (key === "subset_ids" || key.endsWith(".subset")) small.set(key, pickLast(tensor, places));
    else if (/\.top_(?:ids|values)$/.test(key)) small.set(key, pickLast(tensor, top));
    else small.set(key, tensor);
  }
  for (const [key, tensor] of small) {
    if (!key.endsWith(".top_ids")) continue;
    const codebooks = tensor.shape[1] ?? 8;
    for (const [index, id] of integersOf(tensor).entries()) {
      headRows.add(rowOf(Math.floor(index / KEPT_TOP) % codebooks, id));
    }
    for (const place of places) {
      for (let codebook = 0; codebook < codebooks; codebook++) headRows.add(rowOf(codebook, subset[place] ?? 0));
    }
  }
  write(path, formatSafetensors(small));
}

function makeLmCheckpoints(): void {
  const { cases } = readJson("lm/cases.json") as { cases: LmCase[] };
  const textRows = new Set(cases.filter(({ name }) => LM_CASES.includes(name)).flatMap(({ ids }) => ids));
  const native = parseSafetensors(read("tiny/lm-native/model.safetensors"));
  const rowsOf: Readonly<Record<string, ReadonlySet<number>>> = {
    "model.embed_audio_tokens.embed_audio_tokens.weight": inputRows,
    "audio_lm_head.weight": headRows,
    "model.embed_tokens.weight": textRows,
    // The product never reads it, but refuses tensors that are zero throughout.
    "text_lm_head.weight": new Set(),
  };
  const small = new Map<string, StoredTensor>();
  for (const [name, tensor] of native) {
    const rows = rowsOf[name];
    small.set(name, rows === undefined ? tensor : keepRows(tensor, rows));
  }
  write("tiny/lm-native/model.safetensors", formatSafetensors(small));
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const derived = shards.map((file) => {
    const tensors = parseSafetensors(read(`tiny/lm-boson/${file}`));
    return [file, [...tensors].map(([name, tensor]) => [name, sourceOf(tensor, native)])];
  });
  writeJson(`tiny/lm-boson/${DERIVED_SHARDS_FILE}`, { from: "../lm-native/model.safetensors", shards: derived });
  copy("tiny/lm-native/config.json", "tiny/lm-native/tokenizer.json", "tiny/lm-native/tokenizer_config.json");
  copy("tiny/lm-boson/config.json", "tiny/lm-boson/model.safetensors.index.json");
  copy("tiny/lm-boson/tokenizer.json", "tiny/lm-boson/tokenizer_config.json");
}

/** The tensor of the same bytes. */
function sourceOf(wanted: StoredTensor, tensors: ReadonlyMap<string, StoredTensor>): string {
  const bytes = Buffer.from(wanted.bytes);
  const found = [...tensors].find(([, tensor]) => bytes.equals(tensor.bytes));
  if (found === undefined) throw new Error("lm-boson has a tensor that lm-native lacks");
  return found[0];
}

function makeCodec(): void {
  const never = /^(?:decoder_semantic|fc1)\b|\.(?:embed_avg|cluster_size)$/;
  const small = new Map<string, StoredTensor>();
  const used = usedCodes();
  for (const [name, tensor] of parseSafetensors(read("tiny/codec-native/model.safetensors"))) {
    const codebook = /^quantizer\.quantizers\.(\d+)\.codebook\.embed$/.exec(name)?.[1];
    if (codebook !== undefined) small.set(name, farBut(tensor, used[Number(codebook)] ?? new Set()));
    else if (never.test(name)) small.set(name, keepRows(tensor, new Set()));
    else if (tensor.dtype === "F32") small.set(name, { ...tensor, bytes: rounded(tensor.bytes, clearedBits(name)) });
    else small.set(name, tensor);
  }
  write("tiny/codec-native/model.safetensors", formatSafetensors(small));
  copy("tiny/codec-native/config.json", "tiny/codec-native/preprocessor_config.json");
  writeKept("codec/decode.safetensors", (name) => DECODED_FRAMES.includes(name.split(".")[1] ?? ""));
  writeKept("codec/decode-stages.safetensors", (name) => name === "codes" || DECODE_STAGES.includes(name));
  writeKept("codec/encode-stages.safetensors", (name) => ENCODE_STAGES.includes(name));
  const isKept = (name: string) => ENCODED_CLIPS.some((clip) => name === clip || name.startsWith(`${clip}.`));
  writeKept("codec/clips.safetensors", isKept);
  // Margins would be those to the next code of the whole codebook.
  for (const file of ["encode", "encode-boson"]) {
    writeKept(`codec/${file}.safetensors`, (name) => isKept(name) && !name.endsWith("_margin"));
  }
  writeJson("codec/encode.json", { clips: keptClips() });
}

interface Clip {
  readonly name: string;
  readonly native_codes: number[][] | null;
  readonly boson_codes: number[][] | null;
}

function keptClips(): Clip[] {
  return (readJson("codec/encode.json") as { clips: Clip[] }).clips.filter(({ name }) => ENCODED_CLIPS.includes(name));
}

/** The codes of each codebook that the cases decode or expect. */
function usedCodes(): Set<number>[] {
  const used = Array.from({ length: 8 }, () => new Set<number>());
  const add = (codebook: number, code: number) => void used[codebook]?.add(code);
  for (const { native_codes: native, boson_codes: boson } of keptClips()) {
    for (const codes of [native ?? [], boson ?? []]) {
      for (const [codebook, row] of codes.entries()) for (const code of row) add(codebook, code);
    }
  }
  const decode = parseSafetensors(read("codec/decode.safetensors"));
  for (const frames of DECODED_FRAMES) {
    const codes = new Int16Array((decode.get(`codes.${frames}`) as StoredTensor).bytes.slice().buffer);
    for (const [index, code] of codes.entries()) add(Math.floor((index * 8) / codes.length), code);
  }
  return used;
}

/** Puts the other rows of a codebook so far away that no residual is near them. */
function farBut(tensor: StoredTensor, rows: ReadonlySet<number>): StoredTensor {
  const width = tensor.shape[1] ?? 1;
  const values = new Float32Array(tensor.bytes.slice().buffer);
  const kept = values.map((value, index) => (rows.has(Math.floor(index / width)) ? value : FAR));
  return { ...tensor, bytes: new Uint8Array(kept.buffer) };
}

function writeKept(path: string, isKept: (name: string) => boolean): void {
  const tensors = [...parseSafetensors(read(path))].filter(([name]) => isKept(name));
  write(path, formatSafetensors(new Map(tensors)));
}

function clearedBits(name: string): number {
  return CLEARED_BITS.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
}

/** F32 numbers with the last bits of the mantissa rounded away, to the nearest. */
function rounded(bytes: Uint8Array, bits: number): Uint8Array {
  if (bits === 0) return bytes;
  const half = 2 ** (bits - 1);
  const mask = ~(2 ** bits - 1);
  const values = new Uint32Array(bytes.slice().buffer).map((value) => (value + half) & mask);
  return new Uint8Array(values.buffer);
}

function makeRest(): void {
  copy("tokenizer/tiny/tokenizer.json", "tokenizer/tiny/tokenizer_config.json");
  copy("tokenizer/tiny-cases.json", "tokenizer/full-cases.json");
  copy("prompts/normalise.json", "prompts/chunks.json", "prompts/jobs.json");
  const { cases: native } = readJson("prompts/native.json") as { cases: { clips: string[] }[] };
  const hasClips = ({ clips }: { clips: string[] }) => clips.every((clip) => ENCODED_CLIPS.includes(clip));
  writeJson("prompts/native.json", { cases: native.filter(hasClips) });
  copy("sampling/cases.json");
  const warpers = readJson("sampling/warpers.json") as { cases: unknown[] };
  writeJson("sampling/warpers.json", { cases: warpers.cases.filter((_, index) => index % WARPER_STEP === 0) });
  const { files } = readJson("resample/files.json") as { files: { file: string }[] };
  writeJson("resample/files.json", { files: files.filter(({ file }) => RESAMPLED.includes(file)) });
  copy(...RESAMPLED.map((file) => `resample/${file}`));
  const isKept = (name: string) => RESAMPLED.some((file) => name.startsWith(`${file.replace(/\.wav$/, "")}.`));
  writeKept("resample/expected.safetensors", isKept);
}

rmSync(target, { recursive: true, force: true });
makeLmCases();
makeLmCheckpoints();
makeCodec();
makeRest();
writeJson(SET_FILE, { checkpoints: ["lm-native", "lm-boson", "codec-native"] });
process.stdout.write(`${String(total).padStart(8)} bytes in all\n`);
if (total > LIMIT_BYTES) throw new Error(`the set is too large (got ${total} bytes, limit ${LIMIT_BYTES})`);
