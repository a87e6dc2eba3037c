/**
 * Compares the generation model of this checkout with that of another, in turn, with random weights of the released layer
 * shapes: `npm run measure:generation -- --against DIR [--against-library DIR] [--format q4_k]... [--layers 8] [--slots 1] [--threads 1]
 * [--rounds 5] [--save NAME]`. Both checkouts must be built. Times are the least of the rounds, to which other work on the machine
 * adds least; wall times count only where some rounds found it quiet.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { createBenchReport } from "../apps/worker/src/bench/create-report.ts";
import { benchRowsText, type BenchRow } from "../apps/worker/src/bench/report.ts";
import { type Measured, type ModelOptions, serveSide, type SideOptions, type Task } from "./generation/side.ts";

const STEPS = 16;
/** Each with its name and the number that its time is divided by. */
const TASKS: readonly { readonly name: string; readonly task: Task; readonly amount: number }[] = [
  { name: "prefill, 200 rows", task: { kind: "prefill", count: 200 }, amount: 1 },
  { name: "prefill, 800 rows", task: { kind: "prefill", count: 800 }, amount: 1 },
  { name: "decode step", task: { kind: "step", count: STEPS }, amount: STEPS },
];

function start(options: SideOptions): ChildProcess {
  const child = fork(import.meta.filename, ["--side", JSON.stringify(options)]);
  // It has said why; without it nothing would ever answer.
  child.once("exit", (code) => code !== null && process.exit(1));
  return child;
}

async function ask(child: ChildProcess, task: Task): Promise<Measured> {
  child.send(task);
  const [answer] = (await once(child, "message")) as [Measured];
  return answer;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function compare(
  [own, other]: readonly [ChildProcess, ChildProcess],
  model: ModelOptions,
  rounds: number,
  only: string,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const side of [own, other]) {
    const { anonymousMb, hugeMb } = await ask(side, { kind: "load", model });
    console.log(`${model.format}, ${side === own ? "this" : "other"}: ${anonymousMb} MB, ${hugeMb} MB on huge pages`);
  }
  for (const { name, task, amount } of TASKS.filter((each) => each.name.includes(only))) {
    for (const side of [own, other]) await ask(side, task);
    const pairs: { readonly own: Measured; readonly other: Measured }[] = [];
    for (let round = 0; round < rounds; round++) {
      const first = await ask(round % 2 === 0 ? own : other, task);
      const second = await ask(round % 2 === 0 ? other : own, task);
      pairs.push(round % 2 === 0 ? { own: first, other: second } : { own: second, other: first });
    }
    const leastMs = (side: "own" | "other", what: "processor" | "wall") =>
      (Math.min(...pairs.map((pair) => pair[side][what])) * 1000) / amount;
    const wallRatio = median(pairs.map((pair) => pair.own.wall / pair.other.wall));
    const slots = model.slots === 1 ? "" : `, batch ${model.slots}`;
    const row = {
      name: `${name}${slots}, ${model.format}`,
      unit: "ms of processor time",
      value: leastMs("own", "processor"),
      ratio: leastMs("own", "processor") / leastMs("other", "processor"),
      note:
        `the other: ${leastMs("other", "processor").toFixed(1)}; wall ${leastMs("own", "wall").toFixed(1)} against ` +
        `${leastMs("other", "wall").toFixed(1)} ms, median of the pairs ${wallRatio.toFixed(2)}`,
    };
    rows.push(row);
    console.log(benchRowsText([row]));
  }
  return rows;
}

const { values: options } = parseArgs({
  options: {
    side: { type: "string" },
    against: { type: "string", default: "" },
    "against-library": { type: "string" },
    format: { type: "string", multiple: true, default: ["q4_k", "q8_0"] },
    layers: { type: "string", default: "8" },
    slots: { type: "string", default: "1" },
    threads: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    save: { type: "string" },
  },
});
if (options.side === undefined) {
  const root = join(import.meta.dirname, "..");
  const threads = Number(options.threads);
  const own = start({ checkout: root, threads });
  const other = start({ checkout: resolve(options.against), library: options["against-library"], threads });
  const rows: BenchRow[] = [];
  for (const format of options.format as ModelOptions["format"][]) {
    const model = { format, layers: Number(options.layers), slots: Number(options.slots) };
    rows.push(...(await compare([own, other], model, Number(options.rounds), options.only)));
  }
  own.kill();
  other.kill();
  if (options.save !== undefined) {
    const how = options.threads === "1" ? "one thread" : `${options.threads} threads`;
    const title = `Generation model against an older build, ${options.layers} layers of the released shapes, ${how}`;
    const report = await createBenchReport({ title, rows, device: "cpu", directory: root });
    writeFileSync(join(root, "bench", "results", `${options.save}.json`), `${JSON.stringify(report, null, 2)}\n`);
  }
} else {
  await serveSide(JSON.parse(options.side) as SideOptions);
}
