/**
 * How well a client could have listened while audio was made. A player starts when the first part is there and never waits
 * more than it must, so the part that begins at `s` seconds of the audio is due `s` seconds after the first. How late the
 * latest part was is the time for which that player was silent in all.
 */
export class Playback {
  #firstAtMs: number | null = null;
  #secondsBefore = 0;
  #underrunMs = 0;

  /** Takes a part of `seconds` seconds that was there at `nowMs`. */
  add(seconds: number, nowMs: number): void {
    this.#firstAtMs ??= nowMs;
    const dueMs = this.#firstAtMs + this.#secondsBefore * 1000;
    this.#underrunMs = Math.max(this.#underrunMs, nowMs - dueMs);
    this.#secondsBefore += seconds;
  }

  /** When the first part was there; null before. */
  get firstAtMs(): number | null {
    return this.#firstAtMs;
  }

  /** Silence of the player in all, in milliseconds. */
  get underrunMs(): number {
    return this.#underrunMs;
  }
}
