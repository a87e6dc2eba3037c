export interface NetworkFailure {
  /** The network stack's code, such as ECONNREFUSED; empty when there is none. */
  readonly code: string;
  /** For the message; has the network stack's code, never its message, which may contain a signed URL. */
  readonly reason: string;
  /** The same request cannot succeed unless the configuration changes. */
  readonly isPermanent: boolean;
  /** The connection broke, perhaps because the server had already refused the request. */
  readonly isBroken: boolean;
}

/** OpenSSL's certificate errors without CERT in their names. */
const CERTIFICATE_CODES =
  /CERT|^(?:HOSTNAME_MISMATCH|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|PATH_LENGTH_EXCEEDED|INVALID_PURPOSE)/;
const BROKEN_CODES = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "UND_ERR_SOCKET"]);

/** Why a request got no response. */
export function describeNetworkFailure(error: unknown): NetworkFailure {
  const { code, proxyStatus } = findCode(error);
  const permanent = (reason: string): NetworkFailure => ({ code, reason, isPermanent: true, isBroken: false });
  if (proxyStatus !== null) return permanent(`the proxy refused the connection (HTTP ${proxyStatus})`);
  if (CERTIFICATE_CODES.test(code)) {
    return permanent(`the server's certificate is not trusted, ${code} (NODE_EXTRA_CA_CERTS adds authorities)`);
  }
  if (/^(?:ERR_SSL_|EPROTO)/.test(code) && !/BAD_RECORD_MAC|DECRYPTION_FAILED/.test(code)) {
    return permanent(`the TLS handshake failed, ${code} (should the URL be http:// ?)`);
  }
  if (code.startsWith("HPE_")) return permanent(`the response is not HTTP, ${code} (should the URL be https:// ?)`);
  if (code === "BAD_PORT") return permanent("fetch() never connects to this port");
  const reason = code === "ENOTFOUND" ? "the host name is unknown" : "the connection failed";
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
