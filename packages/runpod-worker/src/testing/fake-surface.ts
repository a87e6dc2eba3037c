import type { ProcessSurface, ShutdownSignal } from "../process-surface.ts";

export interface FakeSurfaceOptions {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory?: string;
}

/** A fake process: records what was written and how it ended; the test sends signals and faults. */
export class FakeSurface implements ProcessSurface {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  readonly exitCodes: number[] = [];
  output = "";
  readonly #signalListeners = new Set<(signal: ShutdownSignal) => void>();
  readonly #faultListeners = new Set<(fault: unknown) => void>();

  constructor(options: FakeSurfaceOptions = {}) {
    this.argv = options.argv ?? [];
    this.env = options.env ?? {};
    this.workingDirectory = options.workingDirectory ?? "/nonexistent";
  }

  get lines(): readonly string[] {
    return this.output.split("\n").slice(0, -1);
  }

  writeOut(text: string): void {
    this.output += text;
  }

  exit(code: number): void {
    this.exitCodes.push(code);
  }

  onShutdownSignal(listener: (signal: ShutdownSignal) => void): () => void {
    this.#signalListeners.add(listener);
    return () => this.#signalListeners.delete(listener);
  }

  onFault(listener: (fault: unknown) => void): () => void {
    this.#faultListeners.add(listener);
    return () => this.#faultListeners.delete(listener);
  }

  signal(signal: ShutdownSignal = "SIGTERM"): void {
    for (const listener of this.#signalListeners) listener(signal);
  }

  fault(fault: unknown): void {
    for (const listener of this.#faultListeners) listener(fault);
  }
}
