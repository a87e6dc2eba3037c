import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { drawWaveformPng, drawWaveformText, measureAudio } from "@higgs-worker/audio";
import type { SettingFlags } from "../config/load.ts";
import { parseJob, type SpeechJob } from "../job/parse-input.ts";
import { runSpeechJob, type FinishedSpeechJob, type SpeechJobServices } from "../job/run-speech-job.ts";
import { loadSpeechModel, type ModelLoader } from "../model/load-model.ts";
import { findModel } from "../model/locations.ts";
import { createFileStore, writeOutputFile } from "../storage/file-store.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { createProgressBar } from "../terminal/progress-bar.ts";
import { openCommandContext } from "./command-context.ts";
import { demoNotice } from "./speak.ts";

export interface DemoArgs {
  /** Null for the sentence below. */
  readonly text: string | null;
  /** Folder for demo.wav and demo.png. */
  readonly outDir: string;
  readonly settings: SettingFlags;
}

/** Uses only the demo checkpoint's words. */
const SENTENCE = "The sun is warm and the sky is blue.";

/** What the demo checkpoint speaks best with (its model card). */
const FIELDS = { temperature: 0.3, seed: 1, max_new_tokens: 256 };

const BAR = "─".repeat(64);

/** `higgs demo`: shows a job, its result, the file, its waveform, the speed, and what to do next. */
export async function runDemo(
  args: DemoArgs,
  io: CommandIo,
  loadModel: ModelLoader = loadSpeechModel,
): Promise<number> {
  const startMs = performance.now();
  const { config, logger } = await openCommandContext(io, args.settings);
  const say = (text: string) => io.stdout.write(`${text}\n`);
  const outDir = resolve(io.workingDirectory, args.outDir);
  const transcript = args.text ?? SENTENCE;
  const input = { transcript, ...FIELDS, delivery: "file" };

  const found = findModel(config, { allowDemo: true });
  await say(demoNotice(found).trimEnd());
  await say(`${BAR}\nThe job, as RunPod would send it:\n${JSON.stringify({ input }, null, 2)}`);
  const model = await loadModel(found, config, { logger, signal: io.signal });
  try {
    const finished = await speak(
      parseJob({ id: "demo", input }, config),
      { config, logger, model: async () => model },
      outDir,
      io,
    );
    await say(`${BAR}\nIts result:\n${JSON.stringify({ output: finished.output, error: null }, null, 2)}`);
    await drawWaveform(finished, outDir, io);
    await say(speedText(finished, model.info.loadMs, performance.now() - startMs));
    await say(nextSteps(finished.output.audio_url ?? "", outDir));
    return EXIT_OK;
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

async function speak(
  job: SpeechJob,
  services: SpeechJobServices,
  outDir: string,
  io: CommandIo,
): Promise<FinishedSpeechJob> {
  const bar = createProgressBar(io.stderr, job.input.transcript);
  try {
    return await runSpeechJob(job, services, {
      signal: io.signal,
      onProgress: bar.onProgress,
      delivery: { kind: "file", store: createFileStore(outDir), key: "demo.wav" },
      keepsPcm: true,
    });
  } finally {
    await bar.clear();
  }
}

async function drawWaveform({ pcm, sampleRateHz }: FinishedSpeechJob, outDir: string, io: CommandIo): Promise<void> {
  await writeOutputFile(join(outDir, "demo.png"), await drawWaveformPng(pcm, { sampleRateHz }));
  const columns = Math.min(100, io.stdout.columns);
  await io.stdout.write(`${BAR}\n${drawWaveformText(pcm, { sampleRateHz, columns }).join("\n")}\n`);
}

function speedText({ output, pcm, sampleRateHz }: FinishedSpeechJob, loadMs: number, totalMs: number): string {
  const { peak, rms, silenceShare } = measureAudio(pcm, sampleRateHz);
  const { timings, usage, duration_seconds: seconds } = output;
  return [
    BAR,
    `Audio     ${seconds.toFixed(2)} s, peak ${peak.toFixed(2)}, RMS ${rms.toFixed(3)}, ${Math.round(silenceShare * 100)} % silence`,
    `Speed     ${(1 / usage.rtf).toFixed(1)}× real time; first audio after ${Math.round(timings.first_audio_ms)} ms`,
    `          prefill ${timings.prefill_ms} ms, ${usage.audio_frames} frames ${timings.generate_ms} ms, codec ${timings.decode_ms} ms`,
    `          model loaded in ${Math.round(loadMs)} ms, the whole demo took ${(totalMs / 1000).toFixed(1)} s`,
  ].join("\n");
}

function nextSteps(url: string, outDir: string): string {
  return [
    BAR,
    `Listen to  ${url.startsWith("file:") ? fileURLToPath(url) : url}`,
    `Look at    ${join(outDir, "demo.png")}`,
    "",
    "Next:",
    '  npx higgs speak "The little boy went down to the river." --out boy.wav',
    '  npx higgs worker --test_input \'{"input": {"transcript": "She gave me a book about the sea."}}\'',
    "  npx higgs models where       where the real checkpoint is searched",
    "  npx higgs doctor             what is missing for production",
  ].join("\n");
}
