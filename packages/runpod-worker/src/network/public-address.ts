import { BlockList, isIP } from "node:net";

/** IPv4 blocks that are not the public internet (IANA's special-purpose registry), and one cloud's metadata service. */
const REFUSED_IPV4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;

/**
 * Only global unicast IPv6 is public. That leaves out loopback, link-local, unique-local, multicast, and every form that
 * carries an IPv4 address outside it: mapped, compatible, NAT64.
 */
const GLOBAL_IPV6 = ["2000::", 3] as const;

/** Blocks of global unicast that are not public or that carry an IPv4 address: Teredo and protocols, documentation, 6to4. */
const REFUSED_IPV6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const;

const refusedIpv4 = new BlockList();
for (const [address, bits] of REFUSED_IPV4) refusedIpv4.addSubnet(address, bits, "ipv4");
const globalIpv6 = new BlockList();
globalIpv6.addSubnet(...GLOBAL_IPV6, "ipv6");
const refusedIpv6 = new BlockList();
for (const [address, bits] of REFUSED_IPV6) refusedIpv6.addSubnet(address, bits, "ipv6");

/** Whether an IP address belongs to the public internet; false for anything that is not a plain address. */
export function isPublicAddress(address: string): boolean {
  if (address.includes("%")) return false;
  const family = isIP(address);
  if (family === 4) return !refusedIpv4.check(address, "ipv4");
  return family === 6 && globalIpv6.check(address, "ipv6") && !refusedIpv6.check(address, "ipv6");
}

/** Whether an IP address is this machine's own, in its plain forms. */
export function isLoopbackAddress(address: string): boolean {
  return address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/** Whether a host that a server binds to, or that a request names, can only be this machine; without a port. */
export function isLoopbackHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
  return name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name);
}
