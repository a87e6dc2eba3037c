import { describe, expect, it } from "vitest";
import { Redactor } from "../logging/redactor.ts";
import { errorTypeOf, streamErrorText, thrownErrorText } from "./error-text.ts";

function origin(...secrets: readonly string[]) {
  const redactor = new Redactor();
  redactor.hold(secrets);
  return { hostname: "h", workerId: "w", redactor };
}

describe("error texts", () => {
  it("names subclasses that kept the name Error, and values that are not errors", () => {
    class VoiceError extends Error {}
    class Named extends Error {
      override readonly name = "Custom";
    }
    expect([new VoiceError("x"), new Named("x"), new TypeError("x"), "text", null, 5].map(errorTypeOf)).toEqual([
      "VoiceError",
      "Custom",
      "TypeError",
      "string",
      "null",
      "number",
    ]);
  });

  it("follows causes, ends with a circle of them, and stays below 32 KiB", () => {
    const first = new Error("first");
    const second = new Error("second", { cause: first });
    first.cause = second;
    second.stack = `Error: second\n${"    at somewhere (/a/very/long/path/ü)\n".repeat(2000)}`;
    const text = thrownErrorText(second, origin());
    expect(text.length).toBeLessThanOrEqual(32 * 1024);
    const { error_traceback: traceback } = JSON.parse(text) as { error_traceback: string };
    expect(traceback.startsWith("Error: second")).toBe(true);
    expect(traceback).toContain("\n...\n");
  });

  it("removes secrets, even escaped or encoded ones", () => {
    const secret = 'pa"ss/word+1';
    const message = `a ${secret} b ${JSON.stringify({ secret })} c https://x?k=${encodeURIComponent(secret)}`;
    for (const text of [
      thrownErrorText(new Error(message), origin(secret)),
      streamErrorText(message, origin(secret)),
    ]) {
      expect(text).not.toContain("word");
      expect(text.split("[redacted]").length).toBeGreaterThan(3);
    }
  });

  it("survives values that cannot be printed", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    expect(JSON.parse(thrownErrorText(cyclic, origin()))).toMatchObject({ error_message: "[object Object]" });
    expect(JSON.parse(thrownErrorText(undefined, origin()))).toMatchObject({ error_type: "undefined" });
    const odd = Object.assign(new Error("x"), { message: { code: 5 }, name: 7, stack: undefined });
    expect(JSON.parse(thrownErrorText(odd, origin()))).toMatchObject({ error_type: "7", error_message: '{"code":5}' });
    const bare: Record<string, unknown> = Object.assign(Object.create(null), { n: 1n });
    expect(JSON.parse(thrownErrorText(bare, origin()))).toMatchObject({ error_message: "[object Object]" });
  });
});

describe("what refuses to be read", () => {
  const refuse = (): never => {
    throw new Error("no");
  };
  const hostile: readonly (readonly [name: string, thrown: unknown])[] = [
    ["an error whose message cannot be read", Object.defineProperty(new Error("x"), "message", { get: refuse })],
    ["an error whose name cannot be read", Object.defineProperty(new Error("x"), "name", { get: refuse })],
    ["an error whose stack cannot be read", Object.defineProperty(new Error("x"), "stack", { get: refuse })],
    ["an error whose cause cannot be read", Object.defineProperty(new Error("x"), "cause", { get: refuse })],
    [
      "an error whose constructor cannot be read",
      Object.defineProperty(new Error("x"), "constructor", { get: refuse }),
    ],
    ["an error whose cause is such an error", new Error("x", { cause: Proxy.revocable({}, {}).proxy })],
    ["an object whose toString and toJSON throw", { toString: refuse, toJSON: refuse }],
    ["an object whose tag cannot be read", Object.defineProperty({ n: 1n }, Symbol.toStringTag, { get: refuse })],
    ["an object without a prototype", Object.create(null)],
    ["a symbol", Symbol("s")],
    ["a function", refuse],
    [
      "a proxy that refuses everything",
      new Proxy(new Error("x"), { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse }),
    ],
    ["a proxy whose prototype is asked for", new Proxy({}, { getPrototypeOf: refuse })],
    ["a revoked proxy", revoked()],
  ];

  function revoked(): object {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  }

  it.each(hostile)("%s becomes a text", (_name, thrown) => {
    expect(JSON.parse(thrownErrorText(thrown, origin()))).toMatchObject({ error_message: expect.any(String) });
    expect(streamErrorText(thrown, origin())).toEqual(expect.any(String));
    expect(errorTypeOf(thrown)).toEqual(expect.any(String));
  });
});

describe("Redactor", () => {
  it("forgets a secret when its last holder lets go, and leaves short texts alone", () => {
    const redactor = new Redactor();
    const first = redactor.hold(["secret-1", undefined, "abc"]);
    const second = redactor.hold(["secret-1"]);
    expect(redactor.redact("secret-1 abc")).toBe("[redacted] abc");
    first();
    first();
    expect(redactor.redact("secret-1")).toBe("[redacted]");
    second();
    expect(redactor.redact("secret-1")).toBe("secret-1");
  });
});
