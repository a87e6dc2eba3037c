import { isHiggsError } from "@higgs-worker/base";
import { describe, expect, expectTypeOf, it } from "vitest";
import { configMarkdown, flagKeys, helpText } from "./describe.ts";
import { loadConfig, type Environment, type SettingFlags } from "./load.ts";
import { SETTINGS, SETTING_KEYS, type Config } from "./settings.ts";

function messageOf(env: Environment, flags: SettingFlags = {}): string {
  try {
    loadConfig(env, flags);
  } catch (error) {
    if (isHiggsError(error)) return error.toString();
    throw error;
  }
  return "";
}

describe("loadConfig()", () => {
  it("has a default for everything, and is frozen", () => {
    const { config, warnings } = loadConfig({});
    expect(config).toMatchObject({ device: "auto", weights: "auto", volumeDir: "/runpod-volume", modelPath: null });
    expect(Object.isFrozen(config)).toBe(true);
    expect(warnings).toEqual([]);
  });

  it("a flag wins over the environment, an earlier variable over a later one", () => {
    const env = { HIGGS_DEVICE: "cuda", AWS_REGION: "eu-north-1", AWS_DEFAULT_REGION: "us-east-2", HIGGS_THREADS: "" };
    expect(loadConfig(env, { device: "cpu" }).config).toMatchObject({
      device: "cpu",
      awsRegion: "eu-north-1",
      threads: 0,
    });
    expect(loadConfig({ AWS_DEFAULT_REGION: "us-east-2" }).config.awsRegion).toBe("us-east-2");
  });

  it.each([
    [{ HIGGS_DEVICE: "mps" }, { device: "metal" }],
    [{ HIGGS_DEVICE: "None" }, { device: "cpu" }],
    [{ HIGGS_DEVICE: " CUDA " }, { device: "cuda" }],
    [{ HIGGS_CONTEXT: "4096" }, { contextLength: 4096 }],
    [{ S3_FORCE_PATH_STYLE: "yes" }, { s3ForcePathStyle: true }],
    [{ S3_FORCE_PATH_STYLE: "0" }, { s3ForcePathStyle: false }],
    [{ HIGGS_GUARD_THRESHOLDS: '{"runawayFloorFrames":500}' }, { guardThresholds: { runawayFloorFrames: 500 } }],
    [{}, { guardThresholds: {} }],
    [{ AWS_ENDPOINT_URL: "http://127.0.0.1:9000" }, { awsEndpointUrl: "http://127.0.0.1:9000" }],
  ])("%j gives %j", (env, expected) => {
    expect(loadConfig(env).config).toMatchObject(expected);
  });

  it.each(["[]", "7", "{", '{"runawayFloorFrames":-1}', '{"runawayFloorFrames":"500"}', '{"unknown":1}'])(
    "refuses %s as thresholds of the guard",
    (given) => {
      expect(messageOf({ HIGGS_GUARD_THRESHOLDS: given })).toMatch(
        /^INVALID_INPUT: .*HIGGS_GUARD_THRESHOLDS is not valid/,
      );
    },
  );

  it.each([
    [
      { HIGGS_DEVICE: "gpu" },
      'INVALID_INPUT: Cannot start: HIGGS_DEVICE is not valid (got "gpu", allowed auto, cuda, vulkan',
    ],
    [{ HIGGS_THREADS: "-1" }, 'HIGGS_THREADS is not valid (got "-1", allowed 0 … 512)'],
    [{ HIGGS_CONTEXT: "1e3" }, 'HIGGS_CONTEXT is not valid (got "1e3", allowed 256 … 8192)'],
    [{ HIGGS_MAX_TRANSCRIPT_CHARS: "many" }, "allowed 1 … 1000000"],
    [{ AWS_ENDPOINT_URL_S3: "minio:9000" }, "allowed an http:// or https:// address"],
    [{ S3_FORCE_PATH_STYLE: "maybe" }, "allowed true, false"],
    [{ HIGGS_LOG_LEVEL: "loud" }, "HIGGS_LOG_LEVEL"],
  ])("%j is refused", (env, expected) => {
    expect(messageOf(env)).toContain(expected);
  });

  it("lists all problems at once, and names flags as flags", () => {
    const message = messageOf({ HIGGS_THREADS: "x", HIGGS_CONTEXT: "1" }, { device: "abacus" });
    for (const name of ["--device", "HIGGS_THREADS", "HIGGS_CONTEXT"]) expect(message).toContain(name);
  });

  it("never repeats more than 80 characters of a value", () => {
    expect(messageOf({ HIGGS_DEVICE: "x".repeat(10_000) }).length).toBeLessThan(300);
  });

  it("an unknown variable draws a warning with the nearest name, but no value", () => {
    const { warnings } = loadConfig({ HIGGS_DEVISE: "cpu", HIGGS_ZZZ: "secret", OTHER: "x" });
    expect(warnings).toEqual([
      "HIGGS_DEVISE is not a setting, did you mean HIGGS_DEVICE?",
      "HIGGS_ZZZ is not a setting",
    ]);
  });

  it("types follow the table", () => {
    expectTypeOf<Config["device"]>().toEqualTypeOf<"auto" | "cuda" | "vulkan" | "metal" | "cpu">();
    expectTypeOf<Config["threads"]>().toEqualTypeOf<number>();
    expectTypeOf<Config["s3Bucket"]>().toEqualTypeOf<string | null>();
    expectTypeOf<Config["volumeDir"]>().toEqualTypeOf<string>();
    expectTypeOf<Config["s3ForcePathStyle"]>().toEqualTypeOf<boolean | null>();
  });
});

describe("a key of nothing but blanks", () => {
  it("is refused, where an empty variable counts as not set", () => {
    expect(() => loadConfig({ HIGGS_API_KEY: " \t" })).toThrow(/HIGGS_API_KEY is not valid .*not blank/);
    expect(loadConfig({ HIGGS_API_KEY: "" }).config.apiKey).toBeNull();
  });
});

describe("the table of settings", () => {
  it("no variable and no flag is used twice", () => {
    const names = SETTING_KEYS.flatMap((key) => [
      ...SETTINGS[key].env,
      ...(SETTINGS[key].flag === null ? [] : [SETTINGS[key].flag]),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("secrets have no flag, and their value is in no message", () => {
    for (const key of SETTING_KEYS.filter((name) => SETTINGS[name].isSecret)) expect(SETTINGS[key].flag).toBeNull();
  });

  it("every setting is one row of the document, with flag, range and default", () => {
    const rows = configMarkdown()
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    expect(rows).toHaveLength(SETTING_KEYS.length);
    for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(7);
    expect(rows).toContain(
      "| `HIGGS_MAX_TRANSCRIPT_CHARS` | `--max-transcript-chars N` | 1 … 1000000 | `20000` | Longest transcript of a job, in characters |",
    );
    expect(rows).toContain(
      "| `AWS_SECRET_ACCESS_KEY` |  | text that is not blank, secret | not set | Secret key of the object store |",
    );
  });

  it("help names the variable and the default", () => {
    expect(helpText("device")).toContain("(env HIGGS_DEVICE, default auto)");
    expect(flagKeys(["limits"])).toEqual(["maxTranscriptChars"]);
  });
});
