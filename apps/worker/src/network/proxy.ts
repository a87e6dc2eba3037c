import { BlockList, isIP } from "node:net";

/** What the environment says about proxies; each null when it is not set. */
export interface ProxySettings {
  /** Proxy for `http:` addresses. */
  readonly httpProxy: string | null;
  /** Proxy for `https:` addresses; without it `httpProxy` is taken, as Node does. */
  readonly httpsProxy: string | null;
  /**
   * Hosts that are reached directly, separated by commas or spaces: a name (with everything below it, a leading `.` or `*.`
   * changes nothing), an IP address, a block such as `10.0.0.0/8`, each with `:PORT` if wanted, or `*` for all.
   */
  readonly noProxy: string | null;
}

/** The proxy through which an address is reached, or null when it is reached directly. */
export function proxyFor(url: URL, settings: ProxySettings): URL | null {
  const proxy = url.protocol === "https:" ? (settings.httpsProxy ?? settings.httpProxy) : settings.httpProxy;
  if (proxy === null || isReachedDirectly(url, settings.noProxy ?? "")) return null;
  return new URL(proxy);
}

/** The value of the header `Proxy-Authorization`, or null when the proxy's address holds no user. */
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
  // An IPv6 address has its port only after brackets.
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
