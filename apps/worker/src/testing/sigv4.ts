import { createHash, createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/**
 * Signature Version 4 checked from its specification (AWS documentation, "Authenticating Requests"), with nothing of the
 * library that signs.
 */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they came over the wire. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface KnownKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** S3's error code for a wrong request, or null when signature, key, date and payload are right. */
export function signatureProblem(request: SignedRequest, key: KnownKey): string | null {
  return request.target.includes("X-Amz-Signature=") ? problemOfQuery(request, key) : problemOfHeader(request, key);
}

function problemOfHeader(request: SignedRequest, key: KnownKey): string | null {
  const authorization = request.headers.authorization ?? "";
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (match === null) return "AccessDenied";
  const [, accessKeyId = "", date = "", region = "", signedHeaders = "", signature = ""] = match;
  const timestamp = String(request.headers["x-amz-date"] ?? "");
  const payloadHash = String(request.headers["x-amz-content-sha256"] ?? "");
  if (accessKeyId !== key.accessKeyId) return "InvalidAccessKeyId";
  if (region !== key.region) return "AuthorizationHeaderMalformed";
  if (!signedHeaders.split(";").includes("host") || !timestamp.startsWith(date)) return "SignatureDoesNotMatch";
  if (payloadHash !== createHash("sha256").update(request.body).digest("hex")) return "XAmzContentSHA256Mismatch";
  const [path = "", query = ""] = request.target.split("?");
  const canonical = canonicalRequest(request, path, query, signedHeaders, payloadHash);
  return signature === sign(canonical, key, date, timestamp) ? null : "SignatureDoesNotMatch";
}

function problemOfQuery(request: SignedRequest, key: KnownKey): string | null {
  const [path = "", rawQuery = ""] = request.target.split("?");
  const pairs = rawQuery.split("&");
  const value = (name: string) =>
    decodeURIComponent(pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? "");
  const [accessKeyId, date = "", region] = value("X-Amz-Credential").split("/");
  if (accessKeyId !== key.accessKeyId) return "InvalidAccessKeyId";
  if (region !== key.region) return "AuthorizationQueryParametersError";
  const seconds = Number(value("X-Amz-Expires"));
  if (!(seconds >= 1 && seconds <= 604_800)) return "AuthorizationQueryParametersError";
  const query = pairs
    .filter((pair) => !pair.startsWith("X-Amz-Signature="))
    .sort()
    .join("&");
  const canonical = canonicalRequest(request, path, query, value("X-Amz-SignedHeaders"), "UNSIGNED-PAYLOAD");
  return value("X-Amz-Signature") === sign(canonical, key, date, value("X-Amz-Date")) ? null : "SignatureDoesNotMatch";
}

function canonicalRequest(
  request: SignedRequest,
  path: string,
  query: string,
  signedHeaders: string,
  payloadHash: string,
): string {
  const headers = signedHeaders
    .split(";")
    .map(
      (name) =>
        `${name}:${String(request.headers[name] ?? "")
          .trim()
          .replaceAll(/\s+/g, " ")}\n`,
    )
    .join("");
  return [request.method, path, query, headers, signedHeaders, payloadHash].join("\n");
}

function sign(canonical: string, key: KnownKey, date: string, timestamp: string): string {
  const hmac = (secret: string | Buffer, text: string) => createHmac("sha256", secret).update(text).digest();
  const scope = `${date}/${key.region}/s3/aws4_request`;
  const hash = createHash("sha256").update(canonical).digest("hex");
  const signingKey = [date, key.region, "s3", "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${key.secretAccessKey}`,
  );
  return hmac(signingKey, ["AWS4-HMAC-SHA256", timestamp, scope, hash].join("\n")).toString("hex");
}

/** The headers of a signed request, made from the specification as the checks are. */
export function signedHeaders(
  { method, url, body }: { readonly method: string; readonly url: URL; readonly body: Buffer },
  key: KnownKey,
): Record<string, string> {
  const timestamp = new Date().toISOString().replaceAll(/[:-]|\.\d+/g, "");
  const date = timestamp.slice(0, 8);
  const payloadHash = createHash("sha256").update(body).digest("hex");
  const headers = { host: url.host, "x-amz-content-sha256": payloadHash, "x-amz-date": timestamp };
  const names = Object.keys(headers).join(";");
  const request = { method, target: url.pathname, headers, body };
  // Sorted, as the canonical form is.
  const query = url.search.slice(1).split("&").sort().join("&");
  const signature = sign(canonicalRequest(request, url.pathname, query, names, payloadHash), key, date, timestamp);
  const credential = `${key.accessKeyId}/${date}/${key.region}/s3/aws4_request`;
  const { host: _host, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}
