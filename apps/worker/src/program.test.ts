import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "./program.ts";
import { fakeIo } from "./testing/fake-io.ts";
import { scratchDir } from "./testing/scratch.ts";
import { VERSION } from "./version.ts";

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const workingDirectory = scratchDir();
  const io = fakeIo({ env: { HIGGS_VOLUME_DIR: "/nowhere", HOME: "/nowhere", ...env }, workingDirectory });
  const code = await runProgram(argv, io);
  return { code, out: io.out(), err: io.err(), files: readdirSync(workingDirectory) };
}

const COMMANDS = [
  "worker",
  "speak",
  "models inspect",
  "models verify",
  "models convert",
  "models where",
  "doctor",
  "bench",
  "verify-golden",
  "demo",
];

describe("help", () => {
  it("names every command", async () => {
    const { code, out } = await run(["--help"]);
    expect(code).toBe(0);
    for (const name of new Set(COMMANDS.map((command) => command.split(" ")[0] ?? "")))
      expect(out).toMatch(new RegExp(`^  ${name}\\b`, "m"));
  });

  it.each(COMMANDS)("%s --help has an example that begins with its name", async (command) => {
    const { code, out } = await run([...command.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Example:\n  higgs ${command}\\b`));
  });

  it("--version is the package's", async () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
      version: string;
    };
    expect(await run(["--version"])).toMatchObject({ code: 0, out: `${VERSION}\n` });
    expect(VERSION).toBe(manifest.version);
  });
});

describe("usage errors end with exit code 2", () => {
  it.each([
    [[], "Usage: higgs"],
    [["spaek"], "Did you mean speak?"],
    [["speak"], "missing required argument"],
    [["speak", "Hi.", "--tempreature", "1"], "Did you mean --temperature?"],
    [["speak", "Hi.", "--device", "gpu"], "INVALID_INPUT: Cannot start: --device is not valid"],
    [["doctor", "--context", "many"], "--context is not valid"],
    [["models", "convert", "/x", "--weights", "q3"], "--weights is not valid"],
  ])("%j", async (argv, expected) => {
    const { code, err, out } = await run(argv);
    expect(code).toBe(2);
    expect(err).toContain(expected);
    expect(out).toBe("");
  });
});

/** Issue: every invalid input gives one clear error, an exit code other than 0, and leaves no file. */
describe("invalid input", () => {
  const speak = (text: string, ...flags: string[]) => ["speak", text, "--out", "a.wav", ...flags];

  it.each<[string, string[], Record<string, string>, string, number]>([
    ["wrong type", speak("Hi.", "--top-k", "many"), {}, "top_k must be a whole number", 2],
    ["out of range", speak("Hi.", "--temperature", "9"), {}, "temperature is out of range (got 9, limit 0 … 2)", 2],
    [
      "too long",
      speak("x".repeat(30), "--max-transcript-chars", "20"),
      {},
      "transcript is too long (got 30 characters, limit 20)",
      2,
    ],
    ["empty", speak("  "), {}, "transcript is empty", 2],
    ["control strings", speak("Hi <|eot_id|>"), {}, "control string", 2],
    ["bad UTF-8", speak("Hi \uD800"), {}, "not valid Unicode", 2],
    ["an unknown profile", speak("Hi.", "--ref-audio", "profile:nobody"), {}, "VOICE_NOT_FOUND", 1],
    ["an unknown voice", speak("Hi.", "--ref-audio", "nobody"), {}, "VOICE_NOT_FOUND", 1],
    ["a missing model", speak("Hi.", "--model", "/wrong"), {}, "MODEL_NOT_FOUND", 1],
    ["a missing codec", speak("Hi.", "--tokenizer", "/wrong"), {}, "MODEL_NOT_FOUND", 1],
    ["an output that cannot be written", ["speak", "Hi.", "--out", "/proc/none/a.wav"], {}, "STORAGE_DENIED", 1],
    ["a wrong variable", speak("Hi."), { HIGGS_THREADS: "lots" }, "HIGGS_THREADS is not valid", 2],
  ])("%s", async (_name, argv, env, expected, exitCode) => {
    const { code, err, out, files } = await run(argv, env);
    expect(code).toBe(exitCode);
    expect(err).toContain(expected);
    expect(err.match(/^[A-Z_]+: Cannot /gm)).toHaveLength(1);
    expect(err).not.toMatch(/^\s+at /m);
    expect(out).toBe("");
    expect(files).toEqual([]);
  });

  it("--log-level debug shows the stack", async () => {
    const { err } = await run(["speak", "Hi.", "--model", "/wrong", "--log-level", "debug"]);
    expect(err).toMatch(/^\s+at /m);
  });
});
