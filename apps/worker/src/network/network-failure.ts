export interface NetworkFailure {
  /** Of the network stack, such as ECONNREFUSED; empty when there is none. */
  readonly code: string;
  /** What to tell; holds a code of the network stack, never its message, which may repeat a signed address. */
  readonly reason: string;
  /** The same request cannot succeed without a change of the set-up. */
  readonly isPermanent: boolean;
  /** The connection was there and broke, perhaps because the server had already refused. */
  readonly isBroken: boolean;
}

/** The codes of OpenSSL's certificate checks that do not say CERT. */
const CERTIFICATE_CODES =
  /CERT|^(?:HOSTNAME_MISMATCH|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|PATH_LENGTH_EXCEEDED|INVALID_PURPOSE)/;
const BROKEN_CODES = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "UND_ERR_SOCKET"]);

/** Why a request had no answer. */
export function describeNetworkFailure(error: unknown): NetworkFailure {
  const { code, proxyStatus } = findCode(error);
  const permanent = (reason: string): NetworkFailure => ({ code, reason, isPermanent: true, isBroken: false });
  if (proxyStatus !== null) return permanent(`the proxy refuses the connection (HTTP ${proxyStatus})`);
  if (CERTIFICATE_CODES.test(code)) {
    return permanent(
      `the server's certificate is not accepted, ${code} (NODE_EXTRA_CA_CERTS names further authorities)`,
    );
  }
  if (/^(?:ERR_SSL_|EPROTO)/.test(code) && !/BAD_RECORD_MAC|DECRYPTION_FAILED/.test(code)) {
    return permanent(`the server and this program find no common form of TLS, ${code} (is the address http:// ?)`);
  }
  if (code.startsWith("HPE_")) return permanent(`the server does not speak HTTP, ${code} (is the address https:// ?)`);
  if (code === "BAD_PORT") return permanent("the port is one of those that browsers and fetch() never connect to");
  const reason = code === "ENOTFOUND" ? "the host name is not known" : "no connection";
  return {
    code,
    reason: code === "" ? reason : `${reason}, ${code}`,
    isPermanent: false,
    isBroken: BROKEN_CODES.has(code),
  };
}

/** The first code of the network stack in the chain of causes, such as ECONNREFUSED. */
function findCode(error: unknown): { readonly code: string; readonly proxyStatus: string | null } {
  for (let current = error; current instanceof Error; current = current.cause) {
    const proxyStatus = /^Proxy response \((\d{3})\)|^Proxy Authentication Required \((\d{3})\)/.exec(current.message);
    if (proxyStatus !== null) return { code: "", proxyStatus: proxyStatus[1] ?? proxyStatus[2] ?? null };
    if ("code" in current && current.code === "PROXY_REFUSED" && "statusCode" in current) {
      return { code: "", proxyStatus: String(current.statusCode) };
    }
    if ("code" in current && typeof current.code === "string") return { code: current.code, proxyStatus: null };
    // Neither has a code in every version of Node.
    if (current.name === "HTTPParserError") return { code: "HPE_INVALID", proxyStatus: null };
    if (current.message === "bad port") return { code: "BAD_PORT", proxyStatus: null };
  }
  return { code: "", proxyStatus: null };
}
