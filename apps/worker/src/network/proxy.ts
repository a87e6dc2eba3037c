import { BlockList, isIP } from "node:net";

/** The environment's proxy settings; null when not set. */
export interface ProxySettings {
  /** Proxy for `http:` URLs. */
  readonly httpProxy: string | null;
  /** Proxy for `https:` URLs; `httpProxy` when null, as in Node. */
  readonly httpsProxy: string | null;
  /**
   * Hosts that are reached directly, separated by commas or spaces: a name (with everything below it, a leading `.` or `*.`
   * changes nothing), an IP address, a block such as `10.0.0.0/8`, each with `:PORT` if wanted, or `*` for all.
   */
  readonly noProxy: string | null;
}

/** The proxy for a URL; null for a direct connection. */
export function proxyFor(url: URL, settings: ProxySettings): URL | null {
  const proxy = url.protocol === "https:" ? (settings.httpsProxy ?? settings.httpProxy) : settings.httpProxy;
  if (proxy === null || isReachedDirectly(url, settings.noProxy ?? "")) return null;
  return new URL(proxy);
}

/** The `Proxy-Authorization` header, or null when the proxy's URL has no user. */
export function proxyAuthorization(proxy: URL): string | null {
  if (proxy.username === "" && proxy.password === "") return null;
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return `Basic ${Buffer.from(user).toString("base64")}`;
}

function isReachedDirectly(url: URL, noProxy: string): boolean {
  const host = bareHost(url.hostname).replace(/\.$/, "");
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  return noProxy
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== "")
    .some((entry) => entry === "*" || isCoveredBy(host, port, entry));
}

function isCoveredBy(host: string, port: string, entry: string): boolean {
  // An IPv6 address with a port is in brackets.
  const parts = isIP(entry) === 6 ? null : /^(?<name>.+):(?<port>\d+)$/.exec(entry)?.groups;
  if (parts?.["port"] !== undefined && parts["port"] !== port) return false;
  const name = bareHost(parts?.["name"] ?? entry)
    .replace(/^\*?\./, "")
    .replace(/\.$/, "");
  return host === name || (isIP(host) === 0 ? host.endsWith(`.${name}`) : isInBlock(host, name));
}

function isInBlock(address: string, block: string): boolean {
  const [network = "", bits = ""] = block.split("/");
  const family = isIP(network);
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family === 4 ? "ipv4" : "ipv6");
  return list.check(address, isIP(address) === 4 ? "ipv4" : "ipv6");
}

function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
