/** What a command gets from its process. */
export interface CommandSurface {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the command must end. */
  readonly signal: AbortSignal;
  /** Data. */
  readonly writeOut: (text: string) => void;
  /** Messages for people. */
  readonly writeError: (text: string) => void;
}
