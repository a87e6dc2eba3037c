import { describe, expect, it } from "vitest";
import { METRICS, METRIC_NAMES, exposedName } from "./metric-definitions.ts";
import { Metrics } from "./metrics.ts";
import { snapshotOf } from "./snapshot.ts";

/** The lines of the exposition that have values, and only those of one name. */
async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  const { text } = await metrics.expose();
  return text.split("\n").filter((line) => line.startsWith(`higgs_${name}`));
}

describe("the metrics", () => {
  it("keep what was recorded before their library was loaded", async () => {
    const metrics = new Metrics();
    expect(metrics.isOpen).toBe(false);
    metrics.count("audio_frames", {}, 25);
    metrics.observe("audio_duration_s", 1);
    expect(metrics.isOpen).toBe(false);
    expect(await linesOf(metrics, "audio_frames")).toEqual(["higgs_audio_frames_total 25"]);
    expect(await linesOf(metrics, "audio_duration_s_sum")).toEqual(["higgs_audio_duration_s_sum 1"]);
  });

  it("begin at zero for every label that is known, so that rates are right from the first event", async () => {
    const { text } = await new Metrics().expose();
    for (const line of [
      'higgs_requests_success_total{mode="streamed"} 0',
      'higgs_requests_failed_total{reason="ENGINE_CRASHED"} 0',
      'higgs_engine_restarts_total{cause="crash"} 0',
      'higgs_e2e_request_latency_s_count{mode="whole"} 0',
      'higgs_upload_s_bucket{le="+Inf",store="s3"} 0',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
  });

  it("have a type and a help text each, and nothing that the table does not have", async () => {
    const { text, contentType } = await new Metrics().expose();
    expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    expect(types).toEqual(METRIC_NAMES.map((name) => [exposedName(name), METRICS[name].type]));
    for (const name of METRIC_NAMES) expect(text).toContain(`# HELP ${exposedName(name)} ${METRICS[name].help}`);
  });

  it("ask gauges when they are read: what nobody knows any more has no value", async () => {
    const metrics = new Metrics();
    let free: number | null = 7;
    metrics.addSource(async () => (free === null ? [] : [{ name: "device_memory_free_bytes", value: free }]));
    metrics.addSource(() => [{ name: "check_ok", value: 1, labels: { check: "s3" } }]);
    expect(await linesOf(metrics, "device_memory_free_bytes")).toEqual(["higgs_device_memory_free_bytes 7"]);
    expect(await linesOf(metrics, "check_ok")).toEqual(['higgs_check_ok{check="s3"} 1']);
    free = null;
    expect(await linesOf(metrics, "device_memory_free_bytes")).toEqual([]);
  });

  it("are one small object for the log", async () => {
    const metrics = new Metrics();
    metrics.count("requests_failed", { reason: "CANCELLED" });
    metrics.observe("audio_rtf", 0.5, { mode: "whole" });
    metrics.addSource(() => [{ name: "num_requests_running", value: 2 }]);
    expect(snapshotOf(await metrics.families())).toEqual({
      higgs_num_requests_running: 2,
      "higgs_requests_failed_total{reason=CANCELLED}": 1,
      "higgs_audio_rtf_sum{mode=whole}": 0.5,
      "higgs_audio_rtf_count{mode=whole}": 1,
    });
  });
});
