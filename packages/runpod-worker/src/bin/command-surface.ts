/** What a command has of its process. */
export interface CommandSurface {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the command is to end. */
  readonly signal: AbortSignal;
  /** Data. */
  readonly writeOut: (text: string) => void;
  /** Everything that is said to people. */
  readonly writeError: (text: string) => void;
}
