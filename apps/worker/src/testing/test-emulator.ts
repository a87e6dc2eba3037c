import { type Emulator, startEmulator } from "runpod-worker/emulator";
import { expect, onTestFinished } from "vitest";

/** The emulated platform of one test, which ends with it, once it has seen that the worker of the test has hung up. */
export async function startTestEmulator(): Promise<Emulator> {
  const emulator = await startEmulator();
  onTestFinished(async () => {
    const isQuiet = () => emulator.requests.list({}).every(({ status }) => status !== undefined);
    await expect.poll(isQuiet, { timeout: 20_000 }).toBe(true);
    await emulator.close();
  });
  return emulator;
}
