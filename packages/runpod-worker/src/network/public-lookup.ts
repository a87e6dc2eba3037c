import { lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";

/** The host of an address does not belong to the public internet. */
export class PrivateAddressError extends Error {
  override readonly name = "PrivateAddressError";
  readonly code = "EPRIVATE";

  constructor() {
    super("its host is not on the public internet");
  }
}

/**
 * The `lookup` of connections that may go to the public internet only: the connection uses the addresses that were checked,
 * whatever the name means later. Names with any other address are refused with `PrivateAddressError`. Node does not look up
 * addresses that are written as numbers: ask `isPublicTarget` first.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "", 0);
    const [first] = addresses;
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(new PrivateAddressError(), "", 0);
    }
    return options.all === true ? callback(null, addresses) : callback(null, first.address, first.family);
  });
};

/** False for an address that names a host by a number outside the public internet; names are for `publicLookup` to check. */
export function isPublicTarget({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 || isPublicAddress(host);
}
