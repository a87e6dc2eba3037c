import { textAt, viewOf } from "../decoder/byte-text.ts";
import { referenceInvalid } from "../decoder/reference-invalid.ts";

/** The identification header of Opus (RFC 7845, section 5.1). */
export interface OpusHead {
  readonly channels: number;
  /** Samples at 48 kHz to drop at the start. */
  readonly preSkip: number;
  readonly streamCount: number;
  readonly coupledStreamCount: number;
  readonly channelMappingTable: number[];
}

const FIXED_BYTES = 19;

/** @throws {HiggsError} REFERENCE_INVALID when the header is cut off or contradicts itself */
export function readOpusHead(bytes: Uint8Array): OpusHead {
  if (bytes.length < FIXED_BYTES || textAt(bytes, 0, 8) !== "OpusHead") {
    throw referenceInvalid("its Opus header is missing or cut off");
  }
  const channels = bytes[9] ?? 0;
  const preSkip = viewOf(bytes).getUint16(10, true);
  const family = bytes[18] ?? 0;
  if (family === 0) {
    if (channels !== 1 && channels !== 2) {
      throw referenceInvalid(`its Opus header has an impossible number of channels (got ${channels}, limit 2)`);
    }
    const channelMappingTable = channels === 1 ? [0] : [0, 1];
    return { channels, preSkip, streamCount: 1, coupledStreamCount: channels - 1, channelMappingTable };
  }
  const streamCount = bytes[FIXED_BYTES] ?? 0;
  const coupledStreamCount = bytes[FIXED_BYTES + 1] ?? 0;
  const channelMappingTable = [...bytes.subarray(FIXED_BYTES + 2, FIXED_BYTES + 2 + channels)];
  const decodedChannels = streamCount + coupledStreamCount;
  const isPossible =
    channels > 0 &&
    streamCount > 0 &&
    coupledStreamCount <= streamCount &&
    channelMappingTable.length === channels &&
    // 255 stands for a silent channel.
    channelMappingTable.every((index) => index === 255 || index < decodedChannels);
  if (!isPossible) throw referenceInvalid("the channel mapping in its Opus header contradicts itself");
  return { channels, preSkip, streamCount, coupledStreamCount, channelMappingTable };
}
