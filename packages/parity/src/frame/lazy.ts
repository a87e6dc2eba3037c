/** A loader that runs at most once, for any number of cases; a failure is remembered and fails each of them. */
export function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= load());
}
