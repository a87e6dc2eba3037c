// A RunPod worker of your own: this file is the whole worker, on your machine and in the image.
//   npx tsx examples/own-worker.ts --test_input '{"input": {"text": "one two three two"}}'
// With RUNPOD_WEBHOOK_GET_JOB set by RunPod it takes jobs; with --rp_serve_api it serves RunPod's public API on port 8000.
import { type Handler, start } from "runpod-worker";

interface Input {
  readonly text: string;
}

/** Counts how often each word occurs. Its return value is the job's output; what it throws fails the job with that message. */
const countWords: Handler<Input> = async (job, { signal, progress, log }) => {
  if (typeof job.input.text !== "string") throw new TypeError("Cannot count words: `text` is not a string");
  const words = job.input.text.toLowerCase().match(/\p{L}+/gu) ?? [];
  log.info(`counting ${words.length} words`);
  const counts: Record<string, number> = {};
  for (const [index, word] of words.entries()) {
    signal.throwIfAborted(); // The client canceled the job, or its time is over.
    counts[word] = (counts[word] ?? 0) + 1;
    progress({ percent: Math.round((100 * (index + 1)) / words.length) }); // Shown by /status while the job runs.
    await new Promise((resolve) => setTimeout(resolve, 5)); // Stands for real work.
  }
  return { words: words.length, counts };
};

await start({ handler: countWords });
