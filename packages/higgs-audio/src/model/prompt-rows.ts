/** A prompt as the trunk sees it: one row per position, text rows by token id, audio rows by column (spec model §4.1). */
export interface PromptRows {
  /** [positions] 1 where the row is a clip's column, 0 where it is text. */
  readonly isAudio: Uint8Array;
  /** Ids of the text rows, in the order of positions. */
  readonly textIds: Int32Array;
  /** Ids of the audio rows, [column][codebook], in the order of positions. */
  readonly columnIds: Int32Array;
}
