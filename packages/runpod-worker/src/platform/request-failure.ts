/** Why a request ended without a complete answer. */
export type RequestFailureKind = "invalid-url" | "connection" | "timeout" | "aborted";

/** A request that ended without a complete answer. Its message names no URL, since templates may hold keys. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";
  readonly kind: RequestFailureKind;
  /** True = a keep-alive connection broke before any answer, as when the server closes it at that moment. */
  readonly isStaleConnection: boolean;
  /** True = the server had begun to answer. */
  readonly hadAnswer: boolean;

  constructor(
    kind: RequestFailureKind,
    message: string,
    options: ErrorOptions & { readonly isStaleConnection?: boolean; readonly hadAnswer?: boolean } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.isStaleConnection = options.isStaleConnection ?? false;
    this.hadAnswer = options.hadAnswer ?? false;
  }
}
