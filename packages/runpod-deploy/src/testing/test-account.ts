import { onTestFinished } from "vitest";
import { RunpodClient, type RequestOptions } from "../index.ts";
import { startRestEmulator, type RestEmulator, type RestEmulatorOptions } from "../emulator/index.ts";

export interface TestAccount {
  readonly emulator: RestEmulator;
  readonly client: RunpodClient;
  /** What the client waited, in milliseconds. */
  readonly waits: number[];
}

export const API_KEY = "rpa_TESTKEY0123456789";

/** An emulated account and a client of it that does not really wait; both end with the test. */
export async function startTestAccount(
  options: Partial<RestEmulatorOptions> & { readonly client?: Partial<RequestOptions> } = {},
): Promise<TestAccount> {
  const { client: clientOptions, ...emulatorOptions } = options;
  const emulator = await startRestEmulator({ apiKey: API_KEY, ...emulatorOptions });
  onTestFinished(() => emulator.close());
  const waits: number[] = [];
  const sleep = async (ms: number): Promise<void> => void waits.push(ms);
  const client = new RunpodClient({ baseUrl: emulator.url, apiKey: API_KEY, sleep, ...clientOptions });
  return { emulator, client, waits };
}
