/** What the code streams look like; the fields are the checkpoint config's (spec model §2.1, §2.2). */
export interface CodebookConfig {
  /** Codes per frame, 8. */
  readonly numCodebooks: number;
  /** Ids per codebook including the two stream specials, 1026: the row length of the audio head. */
  readonly idsPerCodebook: number;
  /** 1024; every id below it is a real code. */
  readonly audioStreamBosId: number;
  /** 1025. */
  readonly audioStreamEosId: number;
}

/** The id clipped to the codec's range 0 … 1023 (spec model §7.5): stream specials left in a kept frame become the last code. */
export function clipToCode(id: number, config: CodebookConfig): number {
  return Math.min(Math.max(id, 0), config.audioStreamBosId - 1);
}
