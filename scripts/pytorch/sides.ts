import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Workloads of the demo and of the codec: names, and what they are to a reader. */
export const CODEC_WORKLOADS: readonly (readonly [name: string, title: string])[] = [
  ["demo", "demo, a sentence from text to samples"],
  ["demo-decode", "demo, codec decode"],
  ["demo-encode", "demo, codec encode"],
  ["decode", "released shapes, codec decode"],
  ["encode", "released shapes, codec encode"],
];

interface SideAnswer {
  /** Seconds of processor time a unit of the workload; absent in the answer to a name. */
  readonly processor?: number;
  readonly wall?: number;
  /** Peak of the process's resident memory. */
  readonly peakMiB: number;
}

/** A process that does the same work as another one, when it is told to. */
export class Side implements Disposable {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #peakMiB = 0;

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#child.stdout === null) throw new Error(`Cannot start ${program}: it has no output`);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Opens a workload by its name, or runs the open one. */
  async ask(line: string): Promise<SideAnswer> {
    this.#child.stdin?.write(`${line}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`Cannot measure ${line}: the process ended; it has said why`);
    const answer = JSON.parse(value) as SideAnswer;
    this.#peakMiB = answer.peakMiB;
    return answer;
  }

  /** Of the process's resident memory, as of the last answer. */
  get peakMiB(): number {
    return Math.round(this.#peakMiB);
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}

/** The demo's workloads take some 40 ms each: until both sides' code is compiled and their memory is there, several are needed. */
const DEMO_ROUNDS_FACTOR = 4;

/** The least processor seconds a unit of both sides, in turn after a warm-up; of the demo's workloads in four times as many rounds. */
export async function leastOfRounds([one, other]: readonly [Side, Side], name: string, fewestRounds: number) {
  const rounds = name.startsWith("demo") ? fewestRounds * DEMO_ROUNDS_FACTOR : fewestRounds;
  const sides = [one, other];
  for (const side of sides) {
    await side.ask(name);
    await side.ask("run");
  }
  const least = new Map(sides.map((side) => [side, Infinity]));
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const { processor = Number.NaN } = await side.ask("run");
      least.set(side, Math.min(least.get(side) ?? Infinity, processor));
    }
  }
  return [least.get(one) ?? Number.NaN, least.get(other) ?? Number.NaN] as const;
}

/** Python with what `requirements.txt` pins, installed into `.cache` the first time (6 GB); null where there is no Python with venv. */
export function preparePython(root: string): string | null {
  if (spawnSync("python3", ["-m", "venv", "--help"]).status !== 0) return null;
  const folder = join(root, ".cache", "pytorch", "venv");
  const python = join(folder, "bin", "python");
  mkdirSync(join(root, ".cache", "pytorch"), { recursive: true });
  if (!existsSync(python)) must("python3", ["-m", "venv", folder]);
  must(python, ["-m", "pip", "install", "--quiet", "-r", join(root, "scripts", "pytorch", "requirements.txt")]);
  return python;
}

/** Seconds of wall and of processor time that a program takes from its start to its end. */
export function timeProcess(program: string, args: readonly string[], input = ""): { wall: number; processor: number } {
  const shell = spawnSync(
    "bash",
    ["-c", 'TIMEFORMAT="%R %U %S"; time "$@" > /dev/null 2>&1', "bash", program, ...args],
    {
      input,
      encoding: "utf8",
    },
  );
  const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = shell.stderr.trim().split(" ").map(Number);
  if (shell.status !== 0) throw new Error(`Cannot measure ${program} ${args.join(" ")}: it ended with ${shell.status}`);
  return { wall, processor: user + system };
}

function must(program: string, args: readonly string[]): void {
  const { status } = spawnSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`Cannot prepare the comparison: ${program} ${args.join(" ")} failed`);
}
