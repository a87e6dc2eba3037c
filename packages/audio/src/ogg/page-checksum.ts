import { viewOf } from "../decoder/byte-text.ts";

const SERIAL = 14;
const CHECKSUM = 22;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = (value & 0x8000_0000) === 0 ? value << 1 : (value << 1) ^ 0x04c1_1db7;
  return value >>> 0;
});

/** CRC-32 as Ogg has it (RFC 3533, section 6): the polynomial of Ethernet with the highest bit first, beginning at 0. */
export function oggChecksum(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = ((value << 8) ^ (TABLE[(value >>> 24) ^ byte] ?? 0)) >>> 0;
  return value;
}

/** A copy of a page with another serial number and the checksum that fits. */
export function withOggSerial(page: Uint8Array, serial: number): Uint8Array {
  const copy = page.slice();
  viewOf(copy).setUint32(SERIAL, serial, true);
  return withOggChecksum(copy);
}

/** The page itself, with the checksum that fits. */
export function withOggChecksum(page: Uint8Array): Uint8Array {
  const view = viewOf(page);
  view.setUint32(CHECKSUM, 0, true);
  view.setUint32(CHECKSUM, oggChecksum(page), true);
  return page;
}
