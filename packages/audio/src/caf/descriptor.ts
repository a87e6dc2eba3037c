const ELEMENTARY_STREAM = 3;
const DECODER_CONFIGURATION = 4;
const SPECIFIC_INFORMATION = 5;

/** Behind the tag and the length: an identifier and flags. */
const STREAM_FIELDS_BYTES = 3;
/** Object and stream type, buffer size, and two bit rates. */
const CONFIGURATION_FIELDS_BYTES = 13;

/** The AudioSpecificConfig in AAC's cookie, which is a set of MPEG-4 descriptors; null when there is none. */
export function audioSpecificConfigOf(cookie: Uint8Array): Uint8Array | null {
  const stream = descriptor(cookie, ELEMENTARY_STREAM);
  const configuration = descriptor(stream?.subarray(STREAM_FIELDS_BYTES), DECODER_CONFIGURATION);
  return descriptor(configuration?.subarray(CONFIGURATION_FIELDS_BYTES), SPECIFIC_INFORMATION);
}

/** The content of the first descriptor. Its length is stored in 7 bits per byte. */
function descriptor(bytes: Uint8Array | undefined, tag: number): Uint8Array | null {
  if (bytes?.[0] !== tag) return null;
  let length = 0;
  for (let place = 1; place < 6; place++) {
    const byte = bytes[place] ?? 0;
    length = length * 128 + (byte & 0x7f);
    if (byte < 0x80) return bytes.subarray(place + 1, place + 1 + length);
  }
  return null;
}
