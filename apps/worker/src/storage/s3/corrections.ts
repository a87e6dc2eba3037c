import { LruCache } from "@higgs-worker/base";
import type { HttpAnswer } from "../../network/http-request.ts";
import type { S3Refusal } from "./error-reason.ts";
import { recognizeHost } from "./known-stores.ts";
import { idOfTarget, type S3Target } from "./target.ts";

/** What a store's refusals have shown about a target. */
export interface Corrections {
  /** The bucket's region; null: as configured. */
  readonly region: string | null;
  /** The store's clock less this machine's; 0 within the tolerance. */
  readonly clockOffsetMs: number;
}

const NO_CORRECTIONS: Corrections = { region: null, clockOffsetMs: 0 };

/** S3 accepts signatures that are up to 15 minutes off; a refusal at more than this may be due to the clock. */
const SUSPICIOUS_SKEW_MS = 300_000;

const REGION_CODES = new Set(["AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "Redirect"]);
const CLOCK_CODES = new Set(["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"]);

/** By target, so that a worker learns from each store once. */
const learned = new LruCache<string, Corrections>({ maxEntries: 64 });

export function correctionsOf(target: S3Target): Corrections {
  return learned.get(idOfTarget(target)) ?? NO_CORRECTIONS;
}

export function rememberCorrections(target: S3Target, corrections: Corrections): void {
  learned.set(idOfTarget(target), corrections);
}

/** The target with the region and, for a store whose hosts contain it, the host that a refusal named. */
export function correctedTarget(target: S3Target, { region }: Corrections): S3Target {
  if (region === null || region === target.region) return target;
  return { ...target, region, endpoint: inRegion(target.endpoint, region) };
}

/**
 * What a refusal says is wrong with region or clock, or null. The answer to a HEAD has no code, so there a clock that is far
 * from the store's `Date` is enough.
 */
export function correctionFor(
  refusal: S3Refusal,
  { headers }: Pick<HttpAnswer, "headers">,
  current: { readonly region: string; readonly clockOffsetMs: number },
): Partial<Corrections> | null {
  const { status, code, region } = refusal;
  const isAboutRegion = status === 301 || status === 307 || REGION_CODES.has(code) || (code === "" && status === 400);
  if (isAboutRegion && region !== null && region !== current.region) return { region };
  const isAboutClock = CLOCK_CODES.has(code) || (code === "" && [400, 401, 403].includes(status));
  const storeMs = Date.parse(headers.get("date") ?? "");
  if (!isAboutClock || Number.isNaN(storeMs)) return null;
  const clockOffsetMs = storeMs - Date.now();
  const isOff = Math.abs(clockOffsetMs - current.clockOffsetMs) > SUSPICIOUS_SKEW_MS;
  return isOff ? { clockOffsetMs } : null;
}

/** What whoever runs the worker should change. */
export function correctionWarnings(target: S3Target, { region, clockOffsetMs }: Corrections): string[] {
  const warnings: string[] = [];
  if (region !== null && region !== target.region) {
    warnings.push(`the bucket is in region ${region}, not in ${target.region}; set the region to save a request`);
  }
  if (clockOffsetMs !== 0) {
    const seconds = Math.round(clockOffsetMs / 1000);
    warnings.push(`this machine's clock is ${Math.abs(seconds)} s ${seconds > 0 ? "behind" : "ahead of"} the store's`);
  }
  return warnings;
}

/** AWS refuses requests for a bucket of another region at its regional hosts; other stores have one host. */
function inRegion(endpoint: URL, region: string): URL {
  const known = recognizeHost(endpoint.hostname);
  if (known?.store !== "aws") return endpoint;
  const url = new URL(endpoint);
  const { hostname } = endpoint;
  url.hostname =
    known.region !== null && hostname.includes(known.region)
      ? hostname.replace(known.region, region)
      : hostname.replace(/^s3(-fips)?(\.dualstack)?\.amazonaws/, `s3$1$2.${region}.amazonaws`);
  return url;
}
