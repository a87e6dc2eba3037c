import type { Environment } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import type { Logger } from "../logging/logger.ts";

export interface CheckResult {
  /** `skipped`: there is nothing to check, which is not a fault. */
  readonly status: "ok" | "warning" | "failed" | "skipped";
  readonly detail: string;
  /** What to do; null when there is nothing to do. */
  readonly fix: string | null;
}

export interface CheckContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly env: Environment;
  readonly signal: AbortSignal;
}

export interface DoctorCheck {
  readonly name: string;
  /** May throw; that is a failure with the error's own fix. */
  readonly check: (context: CheckContext) => Promise<CheckResult>;
}

export function ok(detail: string): CheckResult {
  return { status: "ok", detail, fix: null };
}
