import { describe, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { proxyAuthorization, proxyFor } from "./proxy.ts";

const settingsOf = (env: Record<string, string>) => loadConfig(env).config;
const PROXIES = { HTTP_PROXY: "http://plain:3128", HTTPS_PROXY: "http://secure:3128" };

describe("proxyFor()", () => {
  it.each([
    ["http://a.example/", PROXIES, "http://plain:3128/"],
    ["https://a.example/", PROXIES, "http://secure:3128/"],
    ["https://a.example/", { HTTP_PROXY: "http://plain:3128" }, "http://plain:3128/"],
    ["http://a.example/", { HTTPS_PROXY: "http://secure:3128" }, null],
    ["http://a.example/", { http_proxy: "http://lower:1", HTTP_PROXY: "http://upper:1" }, "http://lower:1/"],
    ["http://a.example/", { HTTP_PROXY: "plain:3128" }, "http://plain:3128/"],
    ["http://a.example/", { HTTP_PROXY: "" }, null],
    ["http://127.0.0.1:9000/", PROXIES, "http://plain:3128/"],
  ])("%s with %j goes through %s", (url, env, proxy) => {
    expect(proxyFor(new URL(url), settingsOf(env))?.href ?? null).toBe(proxy);
  });

  it.each([
    ["http://minio:9000/", "minio", true],
    ["http://minio:9000/", "minio:9000", true],
    ["http://minio:9000/", "minio:9001", false],
    ["https://s3.example.com/", "example.com", true],
    ["https://s3.example.com/", ".example.com", true],
    ["https://s3.example.com/", "*.example.com", true],
    ["https://s3.example.com/", "s3.example.com:443", true],
    ["https://S3.Example.com./", "EXAMPLE.COM", true],
    ["https://notexample.com/", "example.com", false],
    ["https://s3.example.com/", "localhost, 127.0.0.1  example.com", true],
    ["https://s3.example.com/", "*", true],
    ["http://10.1.2.3:9000/", "10.0.0.0/8", true],
    ["http://11.1.2.3:9000/", "10.0.0.0/8", false],
    ["http://10.1.2.3/", "10.1.2.3", true],
    ["http://10.1.2.3/", "2.3", false],
    ["http://[fd00::1]:9000/", "fd00::/8", true],
    ["http://[fd00::1]:9000/", "fd00::1", true],
    ["http://[fd00::1]:9000/", "[fd00::1]:9000", true],
    ["http://a.example/", "10.0.0.0/99, /, :, ,", false],
  ])("%s with NO_PROXY=%s is reached directly: %s", (url, noProxy, isDirect) => {
    expect(proxyFor(new URL(url), settingsOf({ ...PROXIES, NO_PROXY: noProxy })) === null).toBe(isDirect);
  });

  it("a proxy that is not spoken to over HTTP is refused at the start, without its password", () => {
    const load = () => settingsOf({ HTTPS_PROXY: "socks5://user:secret@proxy:1080" });
    expect(load).toThrow("HTTPS_PROXY is not valid (allowed an http:// or https:// address of a proxy)");
    expect(load).not.toThrow("secret");
  });
});

it.each([
  ["http://proxy:3128", null],
  ["http://me:p%40ss@proxy:3128", `Basic ${Buffer.from("me:p@ss").toString("base64")}`],
  ["http://token@proxy:3128", `Basic ${Buffer.from("token:").toString("base64")}`],
])("%s authorizes with %s", (url, header) => {
  expect(proxyAuthorization(new URL(url))).toBe(header);
});
