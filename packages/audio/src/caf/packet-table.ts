import { viewOf } from "../decoder/byte-text.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";

export interface PacketTable {
  /** Frames to be played; 0 when unknown. */
  readonly frames: number;
  /** Decoded before the audio begins. */
  readonly primingFrames: number;
  readonly packetBytes: readonly number[];
}

const HEADER_BYTES = 24;

/** Two minutes of the shortest packets need fewer. */
const MAX_PACKETS = 200_000;

/** Variable-length sizes (7 bits per byte, highest first) of packets with the same number of frames. */
export function readPacketTable(content: Uint8Array): PacketTable | null {
  if (content.length < HEADER_BYTES) return null;
  const view = viewOf(content);
  const count = Number(view.getBigInt64(0));
  if (count > MAX_PACKETS) throw referenceInvalid(`it has too many packets (got ${count}, limit ${MAX_PACKETS})`);
  const packetBytes: number[] = [];
  let value = 0;
  for (let place = HEADER_BYTES; place < content.length && packetBytes.length < count; place++) {
    const byte = content[place] ?? 0;
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    packetBytes.push(value);
    value = 0;
  }
  return { frames: Number(view.getBigInt64(8)), primingFrames: view.getInt32(16), packetBytes };
}

/** The packets that the file has. */
export function* packetsOf(data: Uint8Array, table: PacketTable, constantBytes: number): Generator<Uint8Array> {
  if (constantBytes > 0) {
    for (let place = 0; place + constantBytes <= data.length; place += constantBytes) {
      yield data.subarray(place, place + constantBytes);
    }
    return;
  }
  let place = 0;
  for (const size of table.packetBytes) {
    if (place + size > data.length) return;
    if (size > 0) yield data.subarray(place, place + size);
    place += size;
  }
}
