import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fakeIo } from "../testing/fake-io.ts";
import { fakeModel } from "../testing/fake-model.ts";
import { scratchDir } from "../testing/scratch.ts";
import { runDemo } from "./demo.ts";

it("shows the job, its result, the waveform, the speed and the next steps, and leaves a WAV and a PNG", async () => {
  const dir = scratchDir();
  const io = fakeIo({ workingDirectory: dir, env: { HIGGS_VOLUME_DIR: "/nowhere", HOME: "/nowhere" } });
  const model = fakeModel();
  expect(await runDemo({ text: null, outDir: "out", settings: {} }, io, async () => model)).toBe(0);
  expect(readFileSync(join(dir, "out/demo.wav")).subarray(0, 4).toString()).toBe("RIFF");
  expect(readFileSync(join(dir, "out/demo.png")).subarray(1, 4).toString()).toBe("PNG");
  for (const part of [
    '"transcript": "The sun is warm',
    '"success": true',
    "⣿",
    "4.2× real time",
    join(dir, "out/demo.wav"),
    "npx higgs doctor",
  ]) {
    expect(io.out()).toContain(part);
  }
  expect(io.out()).toContain("using the demo checkpoint");
  expect(model.requests[0]).toMatchObject({ seed: 1, sampling: { temperature: 0.3 } });
});
