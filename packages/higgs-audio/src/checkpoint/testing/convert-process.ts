/**
 * A process that converts a checkpoint, for tests of what happens between processes and when one is killed:
 * `node --import tsx --conditions=source convert-process.ts CHECKPOINT CACHE FORMAT [hold]`. Prints one JSON line for
 * each event. With `hold` it stops forever after the first bytes are written.
 */
import { loadGgml } from "@higgs-worker/ggml";
import { isHiggsError } from "@higgs-worker/base";
import { convertCheckpoint } from "../convert/convert-checkpoint.ts";
import { openCheckpoint } from "../open-checkpoint.ts";
import { WEIGHT_FORMATS } from "../weight-format.ts";

function report(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

const [directory = "", cacheDir = "", formatName = "", mode = ""] = process.argv.slice(2);
const format = WEIGHT_FORMATS.find((known) => known === formatName) ?? "q8_0";
let isHeld = false;

async function main(): Promise<void> {
  await using checkpoint = await openCheckpoint(directory);
  const converted = await convertCheckpoint(loadGgml(), checkpoint, {
    format,
    cacheDir,
    lock: { heartbeatMs: 50, staleMs: 2000, pollMs: 20 },
    onWaiting: () => report({ event: "waiting" }),
    onProgress: () => {
      if (mode !== "hold" || isHeld) return;
      isHeld = true;
      report({ event: "writing" });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  });
  report({ event: "converted", ...converted });
}

main().catch((error: unknown) => {
  report({ event: "failed", code: isHiggsError(error) ? error.code : String(error), message: String(error) });
  process.exitCode = 1;
});
