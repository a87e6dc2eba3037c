import { expect, it } from "vitest";
import { fakeModel } from "../testing/fake-model.ts";
import { JobTrace } from "./job-trace.ts";
import { Metrics } from "./metrics.ts";
import { recordJob } from "./record-job.ts";

it("counts chunks, what was spoken again, and what was found", async () => {
  const spoken = await fakeModel().speak({ transcript: "Hello." });
  const [chunk] = spoken.chunks;
  if (chunk === undefined) throw new Error("The fake model speaks no chunk");
  const finding = {
    code: "LOOP",
    startSeconds: 0,
    endSeconds: 1,
    detail: "-",
    value: 2,
    limit: 1,
    isBad: true,
  } as const;
  const chunks = [chunk, { ...chunk, attempts: 3, findings: [finding, { ...finding, code: "CLIPPING" } as const] }];
  const trace = new JobTrace({ jobId: "job" });
  trace.speak({ ...spoken, chunks }, 2);
  const metrics = new Metrics();
  recordJob(metrics, trace, null);
  const lines = (await metrics.expose()).text.split("\n");
  expect(lines).toContain("higgs_audio_chunks_total 2");
  expect(lines).toContain("higgs_audio_guard_retries_total 2");
  expect(lines).toContain('higgs_audio_guard_findings_total{code="LOOP"} 1');
  expect(lines).toContain('higgs_audio_guard_findings_total{code="CLIPPING"} 1');
  expect(lines).toContain('higgs_audio_guard_findings_total{code="RUNAWAY"} 0');
});
