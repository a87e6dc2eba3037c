import { createHash } from "node:crypto";
import { discardBody, sendHttp } from "../network/http-request.ts";
import { describeNetworkFailure } from "../network/network-failure.ts";
import { proxyFor, type ProxySettings } from "../network/proxy.ts";
import { readBody } from "../network/read-body.ts";
import { timeLimit } from "../network/time-limit.ts";
import { bytesSource } from "../storage/object-store.ts";
import { createS3Store } from "../storage/s3/s3-store.ts";
import { checkS3Credentials, knownBucket, resolveS3Target, type S3Target } from "../storage/s3/target.ts";
import type { CheckContext, CheckResult } from "./check.ts";

/** One small object, always the same, so that repeated checks leave only one behind. */
const PROBE_KEY = "higgs-audio/doctor-probe.txt";
const PROBE = new TextEncoder().encode("written by higgs doctor; may be deleted\n");

/** S3 refuses signatures that are 15 minutes off; this is when to warn. */
const CLOCK_WARNING_SECONDS = 60;
const CLOCK_FAILURE_SECONDS = 15 * 60;
const CLOCK_TIMEOUT_MS = 5_000;
const DOWNLOAD_TIMEOUT_MS = 10_000;

const NO_STORE: CheckResult = {
  status: "skipped",
  detail: "no store is configured; small results are delivered as base64",
  fix: null,
};

/** Writes a small object, as a job would. */
export async function checkS3Write({ config, signal }: CheckContext): Promise<CheckResult> {
  const target = configuredTarget(config);
  if (target === null) return NO_STORE;
  const sha256 = createHash("sha256").update(PROBE).digest("hex");
  const store = createS3Store(target, { maxAttempts: 2 });
  await store.check(PROBE_KEY, { signal });
  const stored = await store.put(
    { key: PROBE_KEY, audio: bytesSource(PROBE), mimeType: "text/plain", sha256 },
    { signal },
  );
  const detail = `wrote ${stored.url} at ${target.endpoint.origin}, region ${target.region}`;
  if (stored.downloadUrl === null) return { status: "ok", detail, fix: null };
  const problem = await downloadProblem(new URL(stored.downloadUrl), config, signal);
  if (problem === null)
    return { status: "ok", detail: `${detail}, and read it back through its download_url`, fix: null };
  return {
    status: "warning",
    detail: `${detail}, but its download_url does not work: ${problem}`,
    fix: "Set S3_PUBLIC_URL to the URL at which clients reach the store, or S3_URL_EXPIRES_SECONDS=0 for no download_url",
  };
}

/** Why the URL does not return the written object, or null. */
async function downloadProblem(url: URL, proxies: ProxySettings, signal: AbortSignal): Promise<string | null> {
  try {
    const answer = await sendHttp({
      method: "GET",
      url,
      proxy: proxyFor(url, proxies),
      redirect: "manual",
      signal: timeLimit(DOWNLOAD_TIMEOUT_MS, signal),
    });
    const { bytes } = await readBody(answer.body, { maxBytes: PROBE.byteLength + 1 });
    if (answer.status !== 200) return `HTTP ${answer.status}`;
    return bytes.equals(PROBE) ? null : "the content differs";
  } catch (error) {
    return describeNetworkFailure(error).reason;
  }
}

/** Compares this machine's clock with the store's. */
export async function checkClock({ config, signal }: CheckContext): Promise<CheckResult> {
  const target = configuredTarget(config);
  if (target === null) return { status: "skipped", detail: "no store to compare with", fix: null };
  const sentMs = Date.now();
  const answer = await sendHttp({
    method: "HEAD",
    url: target.endpoint,
    proxy: target.proxy,
    redirect: "manual",
    signal: timeLimit(CLOCK_TIMEOUT_MS, signal),
  }).catch(() => null);
  if (answer !== null) await discardBody(answer);
  const theirMs = Date.parse(answer?.headers.get("date") ?? "");
  if (Number.isNaN(theirMs))
    return { status: "skipped", detail: `${target.endpoint.origin} did not send the time`, fix: null };
  const offSeconds = Math.round(Math.abs(theirMs - (sentMs + Date.now()) / 2) / 1000);
  if (offSeconds < CLOCK_WARNING_SECONDS)
    return { status: "ok", detail: `within ${offSeconds + 1} s of the store's`, fix: null };
  return {
    status: offSeconds < CLOCK_FAILURE_SECONDS ? "warning" : "failed",
    detail: `${offSeconds} s off from the store's`,
    fix: "Set this machine's clock; stores refuse signatures that are 15 minutes off",
  };
}

/** Null when nothing is set; throws when only part is set. */
function configuredTarget(config: CheckContext["config"]): S3Target | null {
  const wish = { bucket: null, jobConfig: null };
  const bucket = knownBucket(config, wish);
  const isAnythingSet = bucket !== null || config.awsAccessKeyId !== null || config.bucketEndpointUrl !== null;
  if (!isAnythingSet) return null;
  checkS3Credentials(config, wish);
  // Credentials without a bucket are enough for jobs that name one.
  return bucket === null ? null : resolveS3Target(config, wish);
}
