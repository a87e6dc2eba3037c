import { describe, expect, it } from "vitest";
import type { LogForm } from "./log-form.ts";
import { Log, type LogLevel } from "./logger.ts";

const NOW = new Date("2026-11-29T08:05:03.250Z");

interface Written {
  readonly form?: LogForm;
  readonly level?: LogLevel;
  readonly secrets?: readonly string[];
}

function linesOf({ form = "json", level = "info", secrets }: Written, use: (log: Log) => void): string[] {
  const lines: string[] = [];
  use(new Log({ form, level, secrets, write: (line) => lines.push(line), now: () => NOW }));
  for (const line of lines) expect(line.indexOf("\n")).toBe(line.length - 1);
  return lines;
}

function objectOf(written: Written, use: (log: Log) => void): Record<string, unknown> {
  return JSON.parse(linesOf(written, use)[0] ?? "") as Record<string, unknown>;
}

describe("json", () => {
  it("has time, level, job and message first, then the fields", () => {
    const [line] = linesOf({}, (log) => log.info("job finished", { jobId: "j1", total_ms: 12, level: "mine" }));
    expect(line).toBe(
      '{"time":"2026-11-29T08:05:03.250Z","level":"INFO","requestId":"j1","message":"job finished","total_ms":12}\n',
    );
  });

  it("writes what JSON has no words for", () => {
    const fields = { big: 12n, bad: new TypeError("oh"), bytes: new Uint8Array(3), gone: undefined, when: NOW };
    expect(objectOf({}, (log) => log.warn("odd", fields))).toMatchObject({
      big: "12",
      bad: "TypeError: oh",
      bytes: "[3 bytes]",
      when: "2026-11-29T08:05:03.250Z",
    });
    const round: Record<string, unknown> = {};
    round["self"] = round;
    expect(() => linesOf({}, (log) => log.info("round", round))).not.toThrow();
  });
});

describe("platform", () => {
  it("has exactly the three keys that RunPod's console reads, in ASCII, with the fields in the message", () => {
    const [line] = linesOf({ form: "platform" }, (log) => log.error("job failed: é", { jobId: "j1", code: "X" }));
    expect(line).toBe('{"requestId":"j1","message":"job failed: \\u00e9 {\\"code\\":\\"X\\"}","level":"ERROR"}\n');
    expect(objectOf({ form: "platform" }, (log) => log.info("ready"))).toEqual({
      requestId: null,
      message: "ready",
      level: "INFO",
    });
  });

  it("cuts the middle out of a long message", () => {
    const { message } = objectOf({ form: "platform" }, (log) => log.info("a ".repeat(5000)));
    expect(message).toMatch(/^(a )+\n\.\.\.TRUNCATED 5904 CHARACTERS\.\.\.\n(a )+$/);
  });
});

describe("text", () => {
  it("is a line for people", () => {
    const [line] = linesOf({ form: "text" }, (log) =>
      log.warn("job failed", { jobId: "j1", code: "X", reason: "a b" }),
    );
    expect(line).toBe('08:05:03.250 WARN  job failed | job=j1 code=X reason="a b"\n');
  });

  it("stays one line, and cannot move the cursor, whatever is in it", () => {
    const [line] = linesOf({ form: "text" }, (log) => log.info("a\nb\u001b[2Jc\u2028d", { jobId: "x\ny" }));
    expect(line).toBe('08:05:03.250 INFO  a b [2Jc d | job="x\\ny"\n');
  });
});

it.each<[LogLevel, string[]]>([
  ["trace", ["debug", "info", "warn", "error"]],
  ["info", ["info", "warn", "error"]],
  ["error", ["error"]],
  ["silent", []],
])("at %s writes %j", (level, shown) => {
  const lines = linesOf({ level }, (log) => {
    for (const name of ["debug", "info", "warn", "error"] as const) log[name](name);
  });
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(shown);
});

it("a child's lines carry its fields", () => {
  expect(objectOf({}, (log) => log.child({ jobId: "a", from: "b" }).child({ from: "c" }).warn("slow"))).toMatchObject({
    requestId: "a",
    from: "c",
    level: "WARN",
  });
});

describe("what must not be in a log", () => {
  it("is struck out by its name, at any depth and in any spelling", () => {
    const fields = {
      transcript: "hush",
      input: { anything: "hush" },
      job: { refAudio: "hush", deep: [{ "scene-prompt": "hush", top_k: 5 }] },
      secretAccessKey: "hush",
    };
    const line = linesOf({}, (log) => log.info("job", fields))[0] ?? "";
    expect(line).not.toContain("hush");
    expect(line).toContain('"top_k":5');
  });

  it("is struck out by its value: keys, also in other spellings", () => {
    const secrets = ["p@ss/word+1", "short"];
    const reason = `refused for p@ss/word+1, ${encodeURIComponent("p@ss/word+1")}, and short`;
    const line = linesOf({ secrets }, (log) => log.error(reason, { reason }))[0] ?? "";
    expect(line).not.toMatch(/p@ss|p%40ss/);
    expect(line).toContain("and short");
  });

  it.each([
    [
      "a signed address",
      "https://b.example/k.wav?X-Amz-Signature=abc&X-Amz-Date=1",
      "https://b.example/k.wav?[redacted]",
    ],
    [
      "a password in an address",
      "proxy http://me:pw@proxy:3128/ refused",
      "proxy http://[redacted]@proxy:3128/ refused",
    ],
    ["a data address", 'got "data:audio/wav;base64,UklGRg==" here', 'got "data:[redacted]" here'],
    ["audio in base64", `got ${"UklG".repeat(60)}== here`, "got [242 characters] here"],
    ["nothing", "the file a/b.wav is too large (got 12, limit 4)", "the file a/b.wav is too large (got 12, limit 4)"],
  ])("%s", (_name, text, clean) => {
    const line = objectOf({}, (log) => log.info(text, { reason: text }));
    expect(line).toMatchObject({ message: clean, reason: clean });
  });
});
