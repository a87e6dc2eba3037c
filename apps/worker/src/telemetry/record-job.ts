import type { HiggsError } from "@higgs-worker/base";
import type { JobTrace } from "./job-trace.ts";
import { CONTINUITY_THRESHOLD_MS } from "./metric-definitions.ts";
import type { Metrics } from "./metrics.ts";

/** Adds a job that has ended to the metrics. */
export function recordJob(metrics: Metrics, trace: JobTrace, error: HiggsError | null): void {
  const mode = trace.isStreamed ? "streamed" : "whole";
  if (error === null) {
    metrics.count("requests_success", { mode });
    metrics.observe("e2e_request_latency_s", trace.totalMs / 1000, { mode });
  } else {
    metrics.count("requests_failed", { reason: error.code });
  }
  // Later requests are made to wait by those that failed too.
  if (trace.waitMs !== null) metrics.observe("request_queue_wait_s", trace.waitMs / 1000);
  if (trace.isStreamed) recordStream(metrics, trace);
  recordSpeech(metrics, trace, mode);
  if (trace.stored === null) return;
  const { kind: store, bytes, ms } = trace.stored;
  metrics.observe("upload_s", ms / 1000, { store });
  metrics.count("upload_bytes", { store }, bytes);
}

function recordStream(metrics: Metrics, { playback, firstAudioMs, spoken }: JobTrace): void {
  if (firstAudioMs === null) return;
  metrics.observe("audio_ttfp_s", firstAudioMs / 1000);
  // What was broken off says nothing about how the rest would have been.
  metrics.count(spoken === null ? "speech_stream_aborted" : "speech_stream_completed");
  if (spoken === null) return;
  metrics.observe("audio_underrun_s", playback.underrunMs / 1000);
  const isContinuous = playback.underrunMs <= CONTINUITY_THRESHOLD_MS;
  metrics.count("audio_continuity_ok", { threshold_ms: String(CONTINUITY_THRESHOLD_MS) }, isContinuous ? 1 : 0);
}

function recordSpeech(metrics: Metrics, { spoken, audioSeconds }: JobTrace, mode: string): void {
  if (spoken === null || audioSeconds === null) return;
  metrics.observe("audio_duration_s", audioSeconds);
  metrics.count("resumed_chunks", {}, spoken.resumedChunks);
  // What was made before took no time now.
  if (spoken.resumedChunks === 0) metrics.observe("audio_rtf", spoken.timings.totalMs / 1000 / audioSeconds, { mode });
  metrics.count("audio_frames", {}, spoken.audioFrames);
  metrics.count("audio_chunks", {}, spoken.chunks.length);
  for (const { attempts, findings } of spoken.chunks) {
    metrics.count("audio_guard_retries", {}, attempts - 1);
    for (const { code } of findings) metrics.count("audio_guard_findings", { code });
  }
  metrics.count("prefix_cache_queries", { result: "hit" }, spoken.prefixes.hits);
  metrics.count("prefix_cache_queries", { result: "miss" }, spoken.prefixes.misses);
  for (const from of spoken.referenceCodes) {
    metrics.count("voice_cache_queries", { result: from === "encoder" ? "miss" : from });
  }
}
