import { expect, it } from "vitest";
import { Log } from "../logging/logger.ts";
import { Telemetry } from "./telemetry.ts";

function telemetry() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { lines, telemetry: new Telemetry(new Log({ level: "info", form: "json", write })) };
}

it("the metrics are a line of the log every now and then, and at the end", async () => {
  const { lines, telemetry: kept } = telemetry();
  const logging = kept.logRegularly(10);
  await expect.poll(() => lines.length).toBeGreaterThan(1);
  kept.metrics.count("audio_frames", {}, 25);
  await logging[Symbol.asyncDispose]();
  const count = lines.length;
  expect(lines[0]).toMatchObject({ level: "INFO", message: "metrics", requestId: null });
  expect(lines[0]).not.toHaveProperty("higgs_audio_frames_total");
  expect(lines.at(-1)).toMatchObject({ message: "metrics", higgs_audio_frames_total: 25 });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(lines).toHaveLength(count);
});

it("a worker that ends while it starts says nothing, and loads nothing for it", async () => {
  const { lines, telemetry: kept } = telemetry();
  await kept.logRegularly(60_000)[Symbol.asyncDispose]();
  expect([lines, kept.metrics.isOpen]).toEqual([[], false]);
});

it("jobs that wait in the local queue are waiting", async () => {
  const { telemetry: kept } = telemetry();
  kept.watchQueue(() => 3);
  expect((await kept.metrics.expose()).text).toContain("\nhiggs_num_requests_waiting 3\n");
});
