import { RunpodApiError } from "../errors.ts";

export interface OnceOptions<Item> {
  /** Looks for what may have been created already. */
  readonly find: () => Promise<Item | null>;
  readonly create: () => Promise<Item>;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Waits before looking whether a creation without a good answer was carried out. */
const WAITS_MS = [1000, 3000, 9000];

/**
 * Creates something exactly once. A creation that got no good answer may have been carried out, so it is looked for before the
 * next try; the same goes for a conflict.
 *
 * @throws {RunpodApiError} when the creation is refused, or fails and nothing is found
 */
export async function createOnce<Item>({ find, create, sleep }: OnceOptions<Item>): Promise<Item> {
  for (let tries = 0; ; tries++) {
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof RunpodApiError) || !(error.isAmbiguous || error.failure === "conflict")) throw error;
      if (error.isAmbiguous) await sleep(WAITS_MS[tries] ?? 0);
      const made = await find();
      if (made !== null) return made;
      if (error.failure === "conflict" || tries >= WAITS_MS.length) throw error;
    }
  }
}
