/**
 * Limits on what a checkpoint file may claim. Everything that a file says about itself is compared with one of these, or
 * with the file's real size, before memory is taken for it.
 */

/** A safetensors header of the released models has 50 KB; this leaves room for 100 times as many tensors. */
export const MAX_HEADER_BYTES = 8 * 1024 * 1024;

/** `config.json` has 6 KB and the shard index 40 KB; larger JSON is not ours. */
export const MAX_JSON_BYTES = 8 * 1024 * 1024;

/** JSON of a checkpoint nests four levels deep; more is an attempt to exhaust a stack. */
export const MAX_JSON_DEPTH = 32;

/** The largest released part has 602 tensors. */
export const MAX_TENSORS = 65_536;

/** Weights have at most 3 axes; ggml itself stops at 4. */
export const MAX_TENSOR_DIMS = 8;

/** Bytes of the longest tensor name that is kept; released names have fewer than 100. */
export const MAX_TENSOR_NAME_LENGTH = 512;

/** The released generation model has 3 shards; the largest public models have a few hundred. */
export const MAX_SHARDS = 1024;

/** One entry for each tensor and a few of bookkeeping. */
export const MAX_ZIP_ENTRIES = MAX_TENSORS + 64;

/** `data.pkl` of the released codec has about 110 KB. */
export const MAX_PICKLE_BYTES = 16 * 1024 * 1024;

/** torch.save nests a handful of values; what is pending on the stack is one dictionary's entries (SETITEMS). */
export const MAX_PICKLE_STACK = 4 * MAX_TENSORS;

/** torch.save memoizes about 10 values for each tensor. */
export const MAX_PICKLE_MEMO = 32 * MAX_TENSORS;

/** Span in the file of a tensor that is stored with gaps or transposed, which has to be gathered in memory. */
export const MAX_GATHERED_BYTES = 256 * 1024 * 1024;

/** Rows are handed out in pieces of this size unless the caller asks for another. */
export const DEFAULT_CHUNK_BYTES = 16 * 1024 * 1024;
