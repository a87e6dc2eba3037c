/** Where a request goes, with the path and query exactly as they will be on the wire. */
export interface RequestTarget {
  readonly isSecure: boolean;
  /** Host name, or an address without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  /** Scheme, host and port, for comparing origins. */
  readonly origin: string;
}

const ABSOLUTE_URL = /^(https?):\/\/([^/?#&]+)(.*)$/is;

/**
 * Cuts an absolute URL by hand. A URL parser would normalize the path, and the platform's paths hold `$` and `&`
 * that must arrive unchanged. Only what a request line cannot contain is percent-encoded.
 *
 * @returns `undefined` if the text is not an http or https URL
 */
export function parseTarget(url: string): RequestTarget | undefined {
  const [, scheme, authority, rest] = ABSOLUTE_URL.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || rest === undefined) return undefined;
  let parsed: URL;
  try {
    parsed = new URL(`${scheme}://${authority}`);
  } catch {
    return undefined;
  }
  const isSecure = scheme.toLowerCase() === "https";
  return {
    isSecure,
    hostname: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? (isSecure ? 443 : 80) : Number(parsed.port),
    path: encodeIllegal(rest.startsWith("/") ? rest : `/${rest}`),
    origin: parsed.origin,
  };
}

/** Percent-encodes spaces, control characters, `#` and everything above ASCII, as UTF-8. */
function encodeIllegal(path: string): string {
  return path.replace(/[^\x21\x22\x24-\x7e]+/g, (characters) =>
    [...new TextEncoder().encode(characters)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}
