/** Says which tiny checkpoints a golden set has; a set without this file has all of them. */
export const SET_FILE = "set.json";

/** Beside the other files of a checkpoint: its shards as names of tensors of another one. */
export const DERIVED_SHARDS_FILE = "derived-shards.json";
