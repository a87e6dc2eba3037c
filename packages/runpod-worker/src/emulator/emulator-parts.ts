import type { AdjustableClock } from "../job-queue/clock.ts";
import type { EmulatedPlatform } from "./emulated-platform.ts";
import type { ExchangeLog } from "./exchange-log.ts";
import type { Faults } from "./faults.ts";
import type { WorkerFleet } from "./worker-fleet.ts";

/** The parts of an emulator that its control routes use. */
export interface EmulatorParts {
  readonly platform: EmulatedPlatform;
  readonly clock: AdjustableClock;
  readonly requests: ExchangeLog;
  readonly faults: Faults;
  readonly fleet: WorkerFleet;
}
