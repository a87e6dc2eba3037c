/**
 * Compares the memory plan with what is really used: `npm run measure:memory-plan [-- --save]`. Each model fills all of its slots to the end of
 * the context, decodes a long piece of audio and encodes a clip, as the plan assumes. The buffers of ggml must be within 5 % of the
 * plan; the growth of the process is shown beside them. Ends with an error when one is not.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { measureUse, MODELS, type Use } from "./memory-plan/use.ts";

const LIMIT = 0.05;

const { values: options } = parseArgs({ options: { child: { type: "string" } } });

if (options.child === undefined) {
  let failed = 0;
  console.log("| Model | Slots | Planned, MB | Used, MB | Plan / use | Process grew by, MB | Plan / growth |");
  console.log("|---|---|---|---|---|---|---|");
  for (const name of MODELS) {
    // Each in a process of its own: what one model leaves behind would count for the next.
    const child = fork(import.meta.filename, [`--child=${name}`]);
    const [use] = (await once(child, "message")) as [Use];
    const { slots, plannedBytes, usedBytes, grownBytes } = use;
    const ratio = plannedBytes / usedBytes;
    if (Math.abs(ratio - 1) > LIMIT) failed += 1;
    const megabytes = [plannedBytes, usedBytes].map((bytes) => Math.round(bytes / 1e6));
    const growth = [Math.round(grownBytes / 1e6), (plannedBytes / grownBytes).toFixed(3)];
    console.log(`| ${[name, slots, ...megabytes, ratio.toFixed(3), ...growth].join(" | ")} |`);
    for (const [part, planned, used] of use.parts) {
      console.error(`  ${part}: planned ${(planned / 1e6).toFixed(1)}, used ${(used / 1e6).toFixed(1)} MB`);
    }
  }
  console.log(`${MODELS.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
} else {
  process.send?.(await measureUse(options.child));
}
