import { type Emulator, startEmulator } from "runpod-worker/emulator";
import { onTestFinished } from "vitest";

/** The emulated platform of one test, which ends with it. */
export async function startTestEmulator(): Promise<Emulator> {
  const emulator = await startEmulator();
  onTestFinished(() => emulator.close());
  return emulator;
}
