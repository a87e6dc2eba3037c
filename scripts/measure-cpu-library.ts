/**
 * Compares the CPU library that is used with another one, in turn and in processor time of one thread, which other work on the
 * machine changes little: `npm run measure:cpu-library -- [--use DIR] [--against DIR] [--checkout DIR] [--rounds N] [--only WORD]...
 * [--save NAME]`. `--use` and `--against` are folders of a ggml build, by default what is used here and the prebuilt package. With
 * `--checkout`, another checkout of this repository with its packages is the other side, with its own graphs. Each figure is the least of
 * the rounds.
 */
import { type ChildProcess, fork } from "node:child_process";
import { on, once } from "node:events";
import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { findLibrary } from "@higgs-worker/ggml";
import { openDevice } from "@higgs-worker/higgs-audio/parts";
import { createBenchReport } from "../apps/worker/src/bench/create-report.ts";
import { benchRowsText, type BenchRow } from "../apps/worker/src/bench/report.ts";
import { openWorkload, UNITS, type Workload, WORKLOADS } from "./cpu-library/workloads.ts";

/** Marks a process that measures, with the folder of its library; an empty folder stands for the library that is used. */
const CHILD = "--child";
const RUN = "run";

/** One side of the comparison: opens a workload when it gets a name, runs it on RUN, and answers each message. */
async function serve(directory: string | undefined): Promise<void> {
  using backend = openDevice({ device: "cpu", threads: 1, ggmlDirectory: directory });
  let workload: Workload | null = null;
  for await (const [name] of on(process, "message") as AsyncIterable<[string]>) {
    if (name !== RUN) {
      await workload?.[Symbol.asyncDispose]();
      workload = await openWorkload(name, backend, directory);
      process.send?.(backend.ggml.cpuBackendFile());
      continue;
    }
    const before = process.cpuUsage();
    await workload?.run();
    const { user, system } = process.cpuUsage(before);
    process.send?.((user + system) / 1e6 / (workload?.amount ?? 1));
  }
}

async function ask<T>(child: ChildProcess, message: string): Promise<T> {
  child.send(message);
  const [answer] = (await once(child, "message")) as [T];
  return answer;
}

async function compare(own: ChildProcess, other: ChildProcess, name: string, rounds: number): Promise<BenchRow> {
  const sides = [own, other];
  for (const side of sides) {
    await ask(side, name);
    await ask(side, RUN);
  }
  const least = new Map(sides.map((side) => [side, Infinity]));
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      least.set(side, Math.min(least.get(side) ?? Infinity, await ask<number>(side, RUN)));
    }
  }
  const [value = Number.NaN, before = Number.NaN] = [...least.values()];
  const unit = UNITS[name.split(" ")[0] ?? ""] ?? "";
  return { name, unit, value, ratio: value / before, note: `the other: ${before.toPrecision(4)}` };
}

const { values: options } = parseArgs({
  options: {
    against: { type: "string" },
    checkout: { type: "string" },
    child: { type: "string" },
    only: { type: "string", multiple: true, default: [""] },
    rounds: { type: "string", default: "7" },
    use: { type: "string", default: "" },
    save: { type: "string" },
  },
});
if (options.child === undefined) {
  const root = join(import.meta.dirname, "..");
  const start = (directory: string, checkout = root) => {
    const child = fork(join(checkout, "scripts", basename(import.meta.filename)), [`${CHILD}=${directory}`], {
      cwd: checkout,
    });
    // It has said why; without it nothing would ever answer.
    child.once("exit", (code) => code !== null && process.exit(1));
    return child;
  };
  const [own, other] = [start(options.use), start(options.against ?? findLibrary().directory, options.checkout)];
  const rows: BenchRow[] = [];
  for (const name of WORKLOADS.filter((workload) => options.only.some((word) => workload.includes(word)))) {
    const row = await compare(own, other, name, Number(options.rounds));
    rows.push(row);
    console.log(benchRowsText([row]));
  }
  own.kill();
  other.kill();
  const title =
    options.checkout === undefined
      ? "CPU library of our own build against the prebuilt one, processor time of one thread"
      : "Code and CPU library of now against earlier code with the prebuilt library, processor time of one thread";
  const report = await createBenchReport({ title, rows, device: "cpu", directory: root });
  if (options.save !== undefined) {
    writeFileSync(join(root, "bench", "results", `${options.save}.json`), `${JSON.stringify(report, null, 2)}\n`);
  }
} else {
  await serve(options.child === "" ? undefined : options.child);
}
