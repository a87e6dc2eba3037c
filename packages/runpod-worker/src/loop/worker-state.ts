import { RunpodWorkerError } from "../errors.ts";

/** What a production worker is doing; logs, health answers and tests all read this. */
export type WorkerState = "starting" | "checking" | "running" | "draining" | "stopped" | "failed";

const TRANSITIONS: Readonly<Record<WorkerState, readonly WorkerState[]>> = {
  starting: ["checking", "stopped", "failed"],
  checking: ["running", "stopped", "failed"],
  running: ["draining", "failed"],
  draining: ["stopped", "failed"],
  stopped: [],
  failed: [],
};

/** Holds the state and refuses illegal transitions. */
export class WorkerStateMachine {
  readonly #onChange: ((state: WorkerState) => void) | undefined;
  #state: WorkerState = "starting";

  constructor(onChange?: (state: WorkerState) => void) {
    this.#onChange = onChange;
  }

  get state(): WorkerState {
    return this.#state;
  }

  get isOver(): boolean {
    return this.#state === "stopped" || this.#state === "failed";
  }

  /** @throws {RunpodWorkerError} INVALID_TRANSITION when `next` cannot follow the current state */
  enter(next: WorkerState): void {
    if (!TRANSITIONS[this.#state].includes(next)) {
      throw new RunpodWorkerError("INVALID_TRANSITION", `Cannot go from ${this.#state} to ${next}`);
    }
    this.#state = next;
    this.#onChange?.(next);
  }
}
