/** Shorter texts may be part of ordinary words, and no real key is that short. */
const MIN_SECRET_LENGTH = 6;
const REPLACEMENT = "[redacted]";

/** Removes known secrets from texts that leave the worker: log lines and error texts (W80). */
export class Redactor {
  /** Secret → number of holders, since two running jobs may bring the same one. */
  readonly #holders = new Map<string, number>();

  /** Adds secrets and returns the function that forgets them again. */
  hold(secrets: readonly (string | undefined)[]): () => void {
    const kept = secrets.filter((secret) => secret !== undefined && secret.length >= MIN_SECRET_LENGTH) as string[];
    for (const secret of kept) this.#holders.set(secret, (this.#holders.get(secret) ?? 0) + 1);
    return () => {
      for (const secret of kept.splice(0)) {
        const left = (this.#holders.get(secret) ?? 1) - 1;
        if (left > 0) this.#holders.set(secret, left);
        else this.#holders.delete(secret);
      }
    };
  }

  /** The text with every known secret replaced, also inside JSON or a URL. */
  redact(text: string): string {
    let redacted = text;
    for (const secret of this.#holders.keys()) {
      for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])) {
        redacted = redacted.replaceAll(form, () => REPLACEMENT);
      }
    }
    return redacted;
  }
}
