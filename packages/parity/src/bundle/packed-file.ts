import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";

/** What packed files are called: the name of the file and this. */
export const PACKED_SUFFIX = ".br";

const TENSOR_FILE = /\.safetensors$/;
/** Bytes of a number; those of the same rank compress together, because exponents resemble each other. */
const NUMBER_BYTES = 4;

/** A file as it is kept in the repository. */
export function pack(name: string, content: Uint8Array): Uint8Array {
  const bytes = TENSOR_FILE.test(name) ? byRank(content) : content;
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

/** The file again. */
export function unpack(name: string, packed: Uint8Array): Uint8Array {
  const bytes = brotliDecompressSync(packed);
  return TENSOR_FILE.test(name) ? inOrder(bytes) : bytes;
}

function byRank(content: Uint8Array): Uint8Array {
  const result = new Uint8Array(content.length);
  let at = 0;
  for (let rank = 0; rank < NUMBER_BYTES; rank++) {
    for (let index = rank; index < content.length; index += NUMBER_BYTES) result[at++] = content[index] ?? 0;
  }
  return result;
}

function inOrder(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length);
  let at = 0;
  for (let rank = 0; rank < NUMBER_BYTES; rank++) {
    for (let index = rank; index < bytes.length; index += NUMBER_BYTES) result[index] = bytes[at++] ?? 0;
  }
  return result;
}
