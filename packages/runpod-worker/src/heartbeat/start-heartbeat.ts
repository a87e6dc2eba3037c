import type { Logger } from "../logging/logger.ts";
import { Heartbeat } from "./heartbeat.ts";

export interface HeartbeatConditions {
  /** Absent = `RUNPOD_WEBHOOK_PING` is not set. */
  readonly url: string | undefined;
  /** Empty = `RUNPOD_AI_API_KEY` is not set. */
  readonly apiKey: string;
  readonly hasPodId: boolean;
  readonly userAgent: string;
  readonly intervalMs: number;
  readonly log: Logger;
  readonly onDeath: (detail: string) => void;
}

/** Starts the heartbeat if key, pod id and URL are set; logs why if not (spec platform §3.7, W73). */
export function startHeartbeat({ url, hasPodId, ...options }: HeartbeatConditions): Heartbeat | undefined {
  const { apiKey, log } = options;
  if (apiKey === "") log.debug("RUNPOD_AI_API_KEY is not set, no heartbeat.");
  else if (!hasPodId) log.info("RUNPOD_POD_ID is not set, no heartbeat.");
  else if (url === undefined) log.error("RUNPOD_WEBHOOK_PING is not set, no heartbeat.");
  else return new Heartbeat({ ...options, url });
  return undefined;
}
