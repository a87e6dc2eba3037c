import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isLoopbackAddress, isPublicAddress } from "runpod-worker/network";

export interface AddressRules {
  /** Allows `http:` and this machine's own addresses; for tests and the command line. */
  readonly allowLoopback?: boolean | undefined;
  /** Hosts, as `NAME` or `NAME:PORT`, that are allowed at any address, also with `http:`. */
  readonly trustedHosts?: readonly string[] | undefined;
  /** Resolves a host name; called once per connection. */
  readonly resolve?: ((hostname: string) => Promise<readonly LookupAddress[]>) | undefined;
}

/** An untrusted URL that is not allowed. The reason never contains it. */
export class AddressRefusal extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Reads an untrusted URL: only https, without a password.
 *
 * @throws {AddressRefusal} when it is not allowed
 */
export function parseUntrustedUrl(address: string, rules: AddressRules, base?: URL): URL {
  if (!URL.canParse(address, base?.href)) throw new AddressRefusal("its address is not a valid URL");
  const url = new URL(address, base);
  const isPlainAllowed = rules.allowLoopback === true || isTrusted(url, rules);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isPlainAllowed)) {
    throw new AddressRefusal(`only https URLs are allowed (got ${url.protocol.slice(0, 16)})`);
  }
  if (url.username !== "" || url.password !== "") throw new AddressRefusal("its URL has a user name or password");
  return url;
}

/**
 * The addresses of a URL's host, all of which are allowed: on the public internet, or as the rules say. Connect to one of
 * them and not to the name, which may resolve to another one later.
 *
 * @returns none when the name does not resolve
 * @throws {AddressRefusal} when one is not allowed
 * @throws {Error} of the lookup, or the signal's reason
 */
export async function allowedAddresses(
  url: URL,
  rules: AddressRules,
  stop: AbortSignal,
): Promise<readonly LookupAddress[]> {
  const { allowLoopback = false, resolve = resolveHost } = rules;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(host);
  const addresses = family === 0 ? await orAborted(resolve(host), stop) : [{ address: host, family }];
  const isAllowed = ({ address }: LookupAddress): boolean =>
    (allowLoopback && isLoopbackAddress(address)) || (url.protocol === "https:" && isPublicAddress(address));
  if (!isTrusted(url, rules) && !addresses.every(isAllowed)) {
    throw new AddressRefusal("its address is not on the public internet");
  }
  return addresses;
}

function isTrusted({ host, hostname }: URL, { trustedHosts = [] }: AddressRules): boolean {
  return trustedHosts.some((trusted) => [host, hostname].includes(trusted.toLowerCase()));
}

function resolveHost(hostname: string): Promise<LookupAddress[]> {
  return lookup(hostname, { all: true, order: "ipv4first" });
}

/** A lookup cannot be stopped, only abandoned. */
function orAborted<T>(promise: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(stop.reason as Error);
    stop.addEventListener("abort", onAbort, { once: true });
    if (stop.aborted) onAbort();
    void promise.then(resolve, reject).finally(() => stop.removeEventListener("abort", onAbort));
  });
}
