import { expect, it } from "vitest";
import { describeNetworkFailure } from "./network-failure.ts";

const failure = (code: string) =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("secret"), { code }) });

it.each([
  ["ECONNREFUSED", "the connection failed, ECONNREFUSED", false, false],
  ["ECONNRESET", "the connection failed, ECONNRESET", false, true],
  ["EPIPE", "the connection failed, EPIPE", false, true],
  ["UND_ERR_SOCKET", "the connection failed, UND_ERR_SOCKET", false, true],
  ["EAI_AGAIN", "the connection failed, EAI_AGAIN", false, false],
  ["ENOTFOUND", "the host name is unknown, ENOTFOUND", false, false],
  ["CERT_HAS_EXPIRED", "certificate is not trusted, CERT_HAS_EXPIRED", true, false],
  ["SELF_SIGNED_CERT_IN_CHAIN", "certificate is not trusted", true, false],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate is not trusted", true, false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate is not trusted", true, false],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "the TLS handshake failed", true, false],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "the TLS handshake failed", true, false],
  ["ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", "the connection failed", false, false],
  ["HPE_INVALID_CONSTANT", "the response is not HTTP", true, false],
])("%s is told as %s, permanent %s, broken %s", (code, reason, isPermanent, isBroken) => {
  const described = describeNetworkFailure(failure(code));
  expect(described).toMatchObject({ code, reason: expect.stringContaining(reason), isPermanent, isBroken });
  expect(described.reason).not.toContain("secret");
});

it("an answer that is not HTTP is known by its name where it has no code", () => {
  const cause = Object.assign(new Error("secret"), { name: "HTTPParserError", code: undefined });
  expect(describeNetworkFailure(new TypeError("fetch failed", { cause }))).toMatchObject({ isPermanent: true });
});

it("a port that fetch() never connects to cannot get better", async () => {
  const error = await fetch("http://127.0.0.1:10080/").catch((thrown: unknown) => thrown);
  expect(describeNetworkFailure(error)).toMatchObject({
    isPermanent: true,
    reason: "fetch() never connects to this port",
  });
});

it.each([new TypeError("fetch failed"), "thrown text", undefined])("%s has no code", (error) => {
  expect(describeNetworkFailure(error)).toEqual({
    code: "",
    reason: "the connection failed",
    isPermanent: false,
    isBroken: false,
  });
});
