export type { Account, StoredPod } from "./account.ts";
export type { Fault, FaultAction } from "./faults.ts";
export { RestEmulator, startRestEmulator, type RestEmulatorOptions, type RestRequest } from "./rest-emulator.ts";
export type { ServingOptions } from "./serving.ts";
