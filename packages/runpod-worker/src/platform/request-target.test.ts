import { describe, expect, it } from "vitest";
import { parseTarget } from "./request-target.ts";

describe("parseTarget", () => {
  it.each([
    ["http://h/a/$ID&x=1", "/a/$ID&x=1"],
    ["http://h/a?gpu=NVIDIA+L4&isStream=false", "/a?gpu=NVIDIA+L4&isStream=false"],
    ["http://h/a/../b/./c", "/a/../b/./c"],
    ["http://h/a%2Fb", "/a%2Fb"],
    ["http://h", "/"],
    ["http://h?x=1", "/?x=1"],
    ["http://h/job#1 two", "/job%231%20two"],
    ["http://h/größe", "/gr%C3%B6%C3%9Fe"],
    ["http://h/a\r\nX: y", "/a%0D%0AX:%20y"],
    ['http://h/"q"', '/"q"'],
  ])("%s asks for %s", (url, path) => {
    expect(parseTarget(url)?.path).toBe(path);
  });

  it("reads scheme, host and port", () => {
    expect(parseTarget("https://api.runpod.ai/v2")).toMatchObject({
      isSecure: true,
      hostname: "api.runpod.ai",
      port: 443,
      origin: "https://api.runpod.ai",
    });
    expect(parseTarget("HTTP://[::1]:8080/x")).toMatchObject({ isSecure: false, hostname: "::1", port: 8080 });
    expect(parseTarget("http://localhost/x")).toMatchObject({ hostname: "localhost", port: 80 });
  });

  it.each(["", "JOB_DONE_URL", "ftp://h/x", "/v2/x", "http://", "http://h:99999/"])("refuses %j", (url) => {
    expect(parseTarget(url)).toBeUndefined();
  });
});
