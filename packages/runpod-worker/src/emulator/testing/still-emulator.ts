import { onTestFinished } from "vitest";
import { AdjustableClock } from "../../job-queue/clock.ts";
import { startEmulator, type Emulator, type EmulatorOptions } from "../emulator.ts";
import { WireWorker } from "./wire-worker.ts";

/** An emulator for one test, whose clock stands still unless moved, and a worker driven by hand. */
export async function emulate(options: EmulatorOptions = {}): Promise<{ emulator: Emulator; worker: WireWorker }> {
  const emulator = await startEmulator({ clock: new AdjustableClock(0), ...options });
  onTestFinished(() => emulator.close());
  return { emulator, worker: new WireWorker(emulator) };
}
