/** Statuses with which the public API refuses a request. */
export type RefusalStatus = 400 | 401 | 404 | 405 | 413 | 415 | 429;

/** A request that the public API refuses; its message goes to the client as `{"error": message}`. */
export class PublicApiError extends Error {
  override readonly name = "PublicApiError";
  readonly status: RefusalStatus;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: RefusalStatus, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
