/**
 * How long a decode step takes while other programs compute: `npm run measure:busy-cores -- [--use DIR] [--against DIR]
 * [--threads N] [--rounds N] [--only WORD]`. DIR is a folder of a ggml build, by default what is used here and the prebuilt
 * package. Other programs are busy loops of the same priority, each bound to one core. Wall clock, medians over the rounds, both
 * libraries and all loads in turn; needs Linux and an otherwise idle machine for absolute figures.
 */
import { type ChildProcess, fork } from "node:child_process";
import { on, once } from "node:events";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { findLibrary } from "@higgs-worker/ggml";
import { openDevice } from "@higgs-worker/higgs-audio/parts";
import { BusyCores } from "./busy-cores/busy-cores.ts";
import { openStep, STEPS } from "./busy-cores/steps.ts";

const RUN = "run";

/** A process with one library: makes a step ready when it gets its name, then times one for each RUN. */
async function serve(directory: string | undefined, threads: number): Promise<void> {
  using backend = openDevice({ device: "cpu", threads, ggmlDirectory: directory });
  let step: Awaited<ReturnType<typeof openStep>> | null = null;
  for await (const [name] of on(process, "message") as AsyncIterable<[string]>) {
    if (name !== RUN) {
      step?.[Symbol.dispose]();
      step = await openStep(name, backend);
      process.send?.(backend.ggml.cpuBackendFile());
      continue;
    }
    const startMs = performance.now();
    await step?.run();
    process.send?.(performance.now() - startMs);
  }
}

async function ask<T>(child: ChildProcess, message: string): Promise<T> {
  child.send(message);
  const [answer] = (await once(child, "message")) as [T];
  return answer;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const { values: options } = parseArgs({
  options: {
    use: { type: "string", default: "" },
    against: { type: "string" },
    child: { type: "string" },
    threads: { type: "string", default: String(availableParallelism()) },
    rounds: { type: "string", default: "15" },
    only: { type: "string", default: "" },
    taken: { type: "string", default: String(availableParallelism()) },
  },
});

if (options.child === undefined) {
  const sides = [options.use, options.against ?? findLibrary().directory].map((directory) => {
    const child = fork(import.meta.filename, [`--child=${directory}`, `--threads=${options.threads}`]);
    // It has said why; without it nothing would ever answer.
    child.once("exit", (code) => code !== null && process.exit(1));
    return child;
  });
  console.log(`${options.threads} threads; ms a step with 0, 1 … cores taken: median (times the quiet one, least)`);
  for (const name of STEPS.filter((step) => step.includes(options.only))) {
    const times = sides.map(() => [] as number[][]);
    for (const side of sides) await ask(side, name);
    for (let taken = 0; taken <= Number(options.taken); taken++) {
      using _busy = new BusyCores(taken);
      for (let round = 0; round < Number(options.rounds); round++) {
        for (const [index, side] of sides.entries()) {
          const ms = await ask<number>(side, RUN);
          ((times[index] ??= [])[taken] ??= []).push(ms);
        }
      }
    }
    for (const [index, side] of times.entries()) {
      const medians = side.map(median);
      const cells = medians.map((ms, taken) => {
        const least = Math.min(...(side[taken] ?? []));
        return `${ms.toFixed(1).padStart(8)} (${(ms / (medians[0] ?? 0)).toFixed(2)}, ${least.toFixed(1)})`;
      });
      console.log(`${name.padEnd(14)} ${index === 0 ? "used   " : "against"} ${cells.join("  ")}`);
    }
  }
  for (const side of sides) side.kill();
} else {
  await serve(options.child === "" ? undefined : options.child, Number(options.threads));
}
