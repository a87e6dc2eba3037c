/** One thing that goes wrong. */
export type FaultAction =
  /** An answer of this status in RunPod's form; `retryAfterSeconds` for 429, `isHtml` for a page of a proxy in front. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly retryAfterSeconds?: number;
      readonly isHtml?: boolean;
      readonly detail?: string;
    }
  /** The connection breaks without an answer. */
  | { readonly kind: "reset" };

export interface Fault {
  /** Any method unless given. */
  readonly method?: string;
  /** Compared with the path, such as `/v2/serverless`. */
  readonly path?: RegExp;
  readonly action: FaultAction;
  /** How often; 1 unless given. */
  readonly times?: number;
  /** True carries the request out first, so that only its answer is lost. */
  readonly isAfter?: boolean;
  /** How many matching requests pass before; 0 unless given. */
  readonly skip?: number;
}

interface Pending {
  readonly fault: Fault;
  skip: number;
  times: number;
}

/** The faults that were asked for and have not happened yet. */
export class Faults {
  readonly #pending: Pending[] = [];

  add(fault: Fault): void {
    this.#pending.push({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 });
  }

  clear(): void {
    this.#pending.length = 0;
  }

  /** The fault of this request, which is used up. */
  take(method: string, path: string): Fault | null {
    for (const pending of this.#pending) {
      const { fault } = pending;
      if (fault.method !== undefined && fault.method !== method) continue;
      if (fault.path !== undefined && !fault.path.test(path)) continue;
      if (pending.times === 0) continue;
      if (pending.skip > 0) {
        pending.skip -= 1;
        continue;
      }
      pending.times -= 1;
      return fault;
    }
    return null;
  }
}
