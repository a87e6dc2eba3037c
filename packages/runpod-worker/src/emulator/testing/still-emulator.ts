import { onTestFinished } from "vitest";
import { AdjustableClock } from "../../job-queue/clock.ts";
import { startEmulator, type Emulator, type EmulatorOptions } from "../emulator.ts";
import { WireWorker } from "./wire-worker.ts";

/** An emulator whose clock stands still unless the test moves it, for the time of the test, and a worker by hand. */
export async function emulate(options: EmulatorOptions = {}): Promise<{ emulator: Emulator; worker: WireWorker }> {
  const emulator = await startEmulator({ clock: new AdjustableClock(0), ...options });
  onTestFinished(() => emulator.close());
  return { emulator, worker: new WireWorker(emulator) };
}
