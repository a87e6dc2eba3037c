import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { loadGgml, GgufFile, quantizeRows, rowBytes, type TensorType } from "@higgs-worker/ggml";
import { afterEach, describe, expect, it } from "vitest";
import { openCheckpoint, type LmCheckpoint } from "../open-checkpoint.ts";
import { asOrdinaryUser } from "../testing/ordinary-user.ts";
import { makeTemporaryFolder } from "../testing/temporary-folder.ts";
import { makeLmTensors, SMALL_HIGGS_CONFIG, writeLmCheckpoint } from "../testing/test-checkpoint.ts";
import { WEIGHT_FORMATS } from "../weight-format.ts";
import { convertCheckpoint, convertedPath, type ConvertOptions } from "./convert-checkpoint.ts";
import { readConversionFacts } from "./metadata.ts";

const ggml = loadGgml();

/** Rows of 256 and 288: the first fits q4_k, the second only q8_0. */
const CONFIG = { ...SMALL_HIGGS_CONFIG, hiddenSize: 256, intermediateSize: 288, numAttentionHeads: 4, headDim: 10 };

const LOCK = { heartbeatMs: 20, staleMs: 500, pollMs: 10 };

async function openSmall(folder = makeTemporaryFolder()): Promise<LmCheckpoint> {
  return openCheckpoint(writeLmCheckpoint(folder, "native", CONFIG));
}

function options(cacheDir: string, change: Partial<ConvertOptions> = {}): ConvertOptions {
  return { format: "q4_k", cacheDir, lock: LOCK, ...change };
}

/** Bytes of a tensor as ggml itself makes them from its f32 values. */
async function expectedBytes(checkpoint: LmCheckpoint, name: string, type: TensorType): Promise<Uint8Array> {
  const { rowLength, rowCount } = checkpoint.tensor(name);
  const values = await checkpoint.readF32(name);
  if (type === "f32") return new Uint8Array(values.buffer);
  const bytes = new Uint8Array(rowBytes(type, rowLength) * rowCount);
  quantizeRows(ggml, type, values, bytes, rowLength);
  return bytes;
}

function cacheFiles(cacheDir: string): string[] {
  return readdirSync(cacheDir).sort((a, b) => a.localeCompare(b));
}

describe("convertCheckpoint()", () => {
  it.each(WEIGHT_FORMATS)("writes every tensor as ggml quantizes it (%s)", async (format) => {
    await using checkpoint = await openSmall();
    const cacheDir = join(makeTemporaryFolder(), "deep", "cache");
    const progress: [number, number][] = [];
    const onProgress = (done: number, total: number) => void progress.push([done, total]);
    const converted = await convertCheckpoint(ggml, checkpoint, options(cacheDir, { format, onProgress }));
    expect(converted).toEqual({
      path: convertedPath(checkpoint, format, cacheDir),
      sizeBytes: statSync(converted.path).size,
      isNew: true,
    });
    using file = GgufFile.open(ggml, converted.path);
    expect([...file.tensors.keys()]).toEqual([...checkpoint.tensors.keys()]);
    expect(file.tensors.has("output.weight")).toBe(false);
    for (const tensor of file.tensors.values()) {
      const bytes = new Uint8Array(tensor.byteLength);
      await file.read(tensor, bytes);
      const expected = await expectedBytes(checkpoint, tensor.name, tensor.type);
      expect(Buffer.compare(bytes, expected), `${tensor.name} ${tensor.type}`).toBe(0);
    }
    expect(progress.at(-1)).toEqual([converted.sizeBytes, converted.sizeBytes]);
    expect(progress.every(([done], index) => done >= (progress[index - 1]?.[0] ?? 0))).toBe(true);
    expect(cacheFiles(cacheDir)).toHaveLength(1);
  });

  it("chooses types by the rules of the format, with fallbacks for rows that are not whole blocks", async () => {
    await using checkpoint = await openSmall();
    const { path } = await convertCheckpoint(ggml, checkpoint, options(makeTemporaryFolder()));
    using file = GgufFile.open(ggml, path);
    const typeOf = (name: string) => file.tensors.get(name)?.type;
    expect(typeOf("blk.0.attn_q.weight")).toBe("q4_k"); // rows of 256
    expect(typeOf("blk.0.ffn_down_audio.weight")).toBe("q8_0"); // rows of 288
    expect(typeOf("blk.0.attn_output.weight")).toBe("bf16"); // rows of 40
    expect(typeOf("audio_output.weight")).toBe("q8_0");
    expect(typeOf("audio_embd.weight")).toBe("q8_0");
    expect(typeOf("token_embd.weight")).toBe("bf16");
    expect(typeOf("blk.1.ffn_norm_audio.weight")).toBe("f32");
    expect(typeOf("output_norm.weight")).toBe("f32");
  });

  it("keeps configuration and origin in the file", async () => {
    await using checkpoint = await openSmall();
    const { path } = await convertCheckpoint(ggml, checkpoint, options(makeTemporaryFolder()));
    using file = GgufFile.open(ggml, path);
    expect(readConversionFacts(file)).toEqual({
      config: checkpoint.config,
      sourceHash: checkpoint.sourceHash,
      format: "q4_k",
      converterVersion: 3,
      checksums: expect.stringMatching(/^[0-9a-f]{256}$/) as string,
    });
    expect(file.strings.get("general.architecture")).toBe("higgs-audio-v2");
    expect(file.strings.get("general.name")).toBe(checkpoint.origin.modelName);
  });

  it("converts f16 and f32 checkpoints to the same values as the stored ones", async () => {
    for (const dtype of ["F16", "F32"] as const) {
      const folder = writeLmCheckpoint(makeTemporaryFolder(), "native", CONFIG, makeLmTensors(CONFIG, "native", dtype));
      await using checkpoint = await openCheckpoint(folder);
      const { path } = await convertCheckpoint(ggml, checkpoint, options(makeTemporaryFolder(), { format: "q8_0" }));
      using file = GgufFile.open(ggml, path);
      for (const name of ["blk.1.ffn_up.weight", "token_embd.weight", "output_norm.weight"]) {
        const tensor = file.tensors.get(name);
        if (tensor === undefined) throw new Error(name);
        const bytes = new Uint8Array(tensor.byteLength);
        await file.read(tensor, bytes);
        expect(Buffer.compare(bytes, await expectedBytes(checkpoint, name, tensor.type))).toBe(0);
      }
    }
  });

  it("converts once, and anew when the checkpoint or the format is another", async () => {
    const source = makeTemporaryFolder();
    const cacheDir = makeTemporaryFolder();
    const convert = async (change: Partial<ConvertOptions> = {}) => {
      await using checkpoint = await openCheckpoint(source);
      return await convertCheckpoint(ggml, checkpoint, options(cacheDir, change));
    };
    writeLmCheckpoint(source, "native", CONFIG);
    const first = await convert();
    expect(await convert()).toEqual({ ...first, isNew: false });
    expect((await convert({ format: "q8_0" })).isNew).toBe(true);
    utimesSync(join(source, "model.safetensors"), 1_600_000_000, 1_600_000_000);
    expect((await convert()).isNew).toBe(true);
    expect(cacheFiles(cacheDir)).toHaveLength(3);
  });

  it.each<[string, (path: string) => void]>([
    ["cut short", (path) => truncateSync(path, statSync(path).size - 64)],
    ["empty", (path) => truncateSync(path, 0)],
    ["nonsense", (path) => writeFileSync(path, Buffer.alloc(5000, 7))],
    ["another checkpoint's", replaceHash],
  ])("does not accept a cached file that is %s", async (_, damage) => {
    await using checkpoint = await openSmall();
    const cacheDir = makeTemporaryFolder();
    const { path } = await convertCheckpoint(ggml, checkpoint, options(cacheDir));
    const sound = readFileSync(path);
    damage(path);
    expect(await convertCheckpoint(ggml, checkpoint, options(cacheDir))).toMatchObject({ path, isNew: true });
    expect(readFileSync(path).equals(sound)).toBe(true);
  });

  it("removes the partial file and the lock when it is cancelled", async () => {
    await using checkpoint = await openSmall();
    const cacheDir = makeTemporaryFolder();
    const controller = new AbortController();
    const onProgress = (done: number, total: number) => {
      if (done > total / 3) controller.abort();
    };
    const cancelled = convertCheckpoint(ggml, checkpoint, options(cacheDir, { onProgress, signal: controller.signal }));
    await expect(cancelled).rejects.toMatchObject({ code: "CANCELLED" });
    expect(cacheFiles(cacheDir)).toEqual([]);
  });

  it("removes the partial file when the checkpoint turns out to be cut short", async () => {
    const source = makeTemporaryFolder();
    await using checkpoint = await openSmall(source);
    const cacheDir = makeTemporaryFolder();
    truncateSync(join(source, "model.safetensors"), 20_000);
    await expect(convertCheckpoint(ggml, checkpoint, options(cacheDir))).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
    });
    expect(cacheFiles(cacheDir)).toEqual([]);
  });

  it("says VOLUME_UNAVAILABLE when the cache folder cannot be made", async () => {
    await using checkpoint = await openSmall();
    const blocked = join(makeTemporaryFolder(), "file");
    writeFileSync(blocked, "");
    const failed = convertCheckpoint(ggml, checkpoint, options(join(blocked, "cache")));
    await expect(failed).rejects.toMatchObject({ code: "VOLUME_UNAVAILABLE" });
  });

  it("says VOLUME_UNAVAILABLE when a folder has the name of the conversion", async () => {
    await using checkpoint = await openSmall();
    const cacheDir = makeTemporaryFolder();
    const path = convertedPath(checkpoint, "q4_k", cacheDir);
    mkdirSync(path);
    await expect(convertCheckpoint(ggml, checkpoint, options(cacheDir))).rejects.toMatchObject({
      code: "VOLUME_UNAVAILABLE",
      message: `Cannot use the converted model: the path is a folder (got ${path})`,
    });
  });

  it.runIf(process.platform === "linux")("ends where the file system makes no folders at all", async () => {
    await using checkpoint = await openSmall();
    await expect(convertCheckpoint(ggml, checkpoint, options("/proc/none/cache"))).rejects.toMatchObject({
      code: "VOLUME_UNAVAILABLE",
      message: "Cannot make the cache folder: the folder is gone or cannot be made (got /proc/none/cache)",
    });
  });

  it("says VOLUME_UNAVAILABLE when it may not write", async () => {
    await using checkpoint = await openSmall();
    const cacheDir = makeTemporaryFolder();
    chmodSync(cacheDir, 0o555);
    await asOrdinaryUser(async () => {
      const failed = convertCheckpoint(ggml, checkpoint, options(cacheDir));
      await expect(failed).rejects.toMatchObject({ code: "VOLUME_UNAVAILABLE" });
    });
    expect(cacheFiles(cacheDir)).toEqual([]);
  });

  it("removes what killed conversions left, and nothing of the living", async () => {
    await using checkpoint = await openSmall();
    const cacheDir = makeTemporaryFolder();
    const path = convertedPath(checkpoint, "q4_k", cacheDir);
    const uuid = "3d2b5a54-3c3e-4f7e-9d0b-2f0a0f0c0d0e";
    const partialOf = (name: string) => join(cacheDir, `.${name}.${uuid}.partial`);
    const dead = [
      partialOf(basename(path)),
      `${path}.${uuid}.partial`,
      partialOf("higgs-audio-q8_0-of-a-killed-process.gguf"),
      partialOf("higgs-audio-q8_0-with-an-old-lock.gguf"),
    ];
    const living = [partialOf("higgs-audio-q8_0-in-work.gguf"), join(cacheDir, "other.partial")];
    const locks = ["higgs-audio-q8_0-with-an-old-lock.gguf.lock", "higgs-audio-q8_0-in-work.gguf.lock"];
    for (const file of [...dead, ...living, ...locks.map((name) => join(cacheDir, name))]) writeFileSync(file, "x");
    utimesSync(join(cacheDir, locks[0] ?? ""), Date.now() / 1000 - 600, Date.now() / 1000 - 600);
    await convertCheckpoint(ggml, checkpoint, options(cacheDir));
    expect(dead.map((file) => existsSync(file))).toEqual(dead.map(() => false));
    expect(living.map((file) => existsSync(file))).toEqual(living.map(() => true));
  });
});

/** Changes one digit of the source hash in a file, as if the name's key had collided. */
function replaceHash(path: string): void {
  const bytes = readFileSync(path);
  const key = bytes.indexOf("higgs-audio.source_hash");
  const digit = key + "higgs-audio.source_hash".length + 12;
  bytes[digit] = bytes[digit] === 0x30 ? 0x31 : 0x30;
  writeFileSync(path, bytes);
}

const SCRIPT = fileURLToPath(new URL("../testing/convert-process.ts", import.meta.url));
const children = new Set<ChildProcess>();

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

interface Converter {
  readonly child: ChildProcess;
  /** The next event that the process reports; null at its end. */
  readonly next: () => Promise<Record<string, unknown> | null>;
}

/** Starts a converting process, with a limit on the size of files that it may write, in KiB. */
function startConverter(args: readonly string[], fileLimitKiB: number | null = null): Converter {
  const node = [process.execPath, "--import", "tsx", "--conditions=source", SCRIPT, ...args];
  const limited = ["bash", "-c", `ulimit -f ${fileLimitKiB} && exec "$@"`, "bash", ...node];
  const [command = "", ...rest] = fileLimitKiB === null ? node : limited;
  const child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    next: async () => {
      const { value, done } = await lines.next();
      return done === true ? null : (JSON.parse(value) as Record<string, unknown>);
    },
  };
}

async function lastEvent(converter: Converter): Promise<Record<string, unknown> | null> {
  let last: Record<string, unknown> | null = null;
  for (;;) {
    const event = await converter.next();
    if (event === null) return last;
    last = event;
  }
}

describe("convertCheckpoint() in several processes", () => {
  it("gives one good file when two processes convert the same checkpoint", async () => {
    const source = writeLmCheckpoint(makeTemporaryFolder(), "boson", CONFIG);
    const cacheDir = makeTemporaryFolder();
    const converters = [0, 1, 2].map(() => startConverter([source, cacheDir, "q4_k"]));
    const results = await Promise.all(converters.map(lastEvent));
    expect(results.map((result) => result?.["event"])).toEqual(["converted", "converted", "converted"]);
    expect(results.filter((result) => result?.["isNew"] === true)).toHaveLength(1);
    expect(new Set(results.map((result) => result?.["path"])).size).toBe(1);
    expect(cacheFiles(cacheDir)).toHaveLength(1);
    await using checkpoint = await openCheckpoint(source);
    expect((await convertCheckpoint(ggml, checkpoint, options(cacheDir))).isNew).toBe(false);
  });

  it("accepts nothing that a killed converter has left, and takes its lock over", async () => {
    const source = writeLmCheckpoint(makeTemporaryFolder(), "native", CONFIG);
    const cacheDir = makeTemporaryFolder();
    const killed = startConverter([source, cacheDir, "q4_k", "hold"]);
    expect(await killed.next()).toEqual({ event: "writing" });
    const left = cacheFiles(cacheDir);
    expect(left.filter((name) => name.endsWith(".partial"))).toHaveLength(1);
    expect(left.filter((name) => name.endsWith(".lock"))).toHaveLength(1);
    expect(left.filter((name) => name.endsWith(".gguf"))).toHaveLength(0);
    killed.child.kill("SIGKILL");
    await once(killed.child, "exit");
    await using checkpoint = await openCheckpoint(source);
    const converted = await convertCheckpoint(ggml, checkpoint, options(cacheDir));
    expect(converted.isNew).toBe(true);
    using file = GgufFile.open(ggml, converted.path);
    expect(file.tensors.size).toBe(checkpoint.tensors.size);
    expect(cacheFiles(cacheDir).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  it.skipIf(process.platform === "win32")(
    "says VOLUME_UNAVAILABLE and cleans up when no more can be written",
    async () => {
      const source = writeLmCheckpoint(makeTemporaryFolder(), "native", CONFIG);
      const cacheDir = makeTemporaryFolder();
      mkdirSync(cacheDir, { recursive: true });
      const result = await lastEvent(startConverter([source, cacheDir, "bf16"], 64));
      expect(result).toMatchObject({ event: "failed", code: "VOLUME_UNAVAILABLE" });
      expect(result?.["message"]).toMatch(/Cannot convert the model: the file would become too large/);
      expect(cacheFiles(cacheDir)).toEqual([]);
    },
  );
});
