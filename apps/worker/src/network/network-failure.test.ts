import { expect, it } from "vitest";
import { describeNetworkFailure } from "./network-failure.ts";

const failure = (code: string) =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("secret"), { code }) });

it.each([
  ["ECONNREFUSED", "no connection, ECONNREFUSED", false, false],
  ["ECONNRESET", "no connection, ECONNRESET", false, true],
  ["EPIPE", "no connection, EPIPE", false, true],
  ["UND_ERR_SOCKET", "no connection, UND_ERR_SOCKET", false, true],
  ["EAI_AGAIN", "no connection, EAI_AGAIN", false, false],
  ["ENOTFOUND", "the host name is not known, ENOTFOUND", false, false],
  ["CERT_HAS_EXPIRED", "certificate is not accepted, CERT_HAS_EXPIRED", true, false],
  ["SELF_SIGNED_CERT_IN_CHAIN", "certificate is not accepted", true, false],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate is not accepted", true, false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate is not accepted", true, false],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "no common form of TLS", true, false],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "no common form of TLS", true, false],
  ["ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", "no connection", false, false],
  ["HPE_INVALID_CONSTANT", "does not speak HTTP", true, false],
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
    reason: "the port is one of those that browsers and fetch() never connect to",
  });
});

it.each([new TypeError("fetch failed"), "thrown text", undefined])("%s has no code", (error) => {
  expect(describeNetworkFailure(error)).toEqual({
    code: "",
    reason: "no connection",
    isPermanent: false,
    isBroken: false,
  });
});
