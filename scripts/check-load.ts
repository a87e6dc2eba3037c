/**
 * What `higgs serve` with the demo model does with many clients, and with bad ones; the figures are in docs/CLIENTS.md.
 *
 *   npm run check:load [-- WORD]
 *
 * Takes some four minutes on two cores; with a word only the cases whose name has it. Needs Linux.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { CASES } from "./load/cases.ts";
import { processTree, residentMebibytes } from "./load/memory.ts";
import { startDemoServer } from "./serving/demo-server.ts";

const counts = { passed: 0, failed: 0 };
const rows: string[][] = [];

const [, , word = ""] = process.argv;

for (const { name, env, run } of CASES.filter((each) => each.name.includes(word))) {
  const scratch = mkdtempSync(join(tmpdir(), "higgs-load-"));
  const server = await startDemoServer({ HIGGS_VOICES_DIR: scratch, ...env });
  try {
    await untilReady(server.url);
    const { pid = 0 } = server.process;
    const seen = await run({ url: server.url, memory: () => residentMebibytes(processTree(pid)) });
    counts.passed += 1;
    rows.push([name, seen]);
    console.log(`passed: ${name}: ${seen}`);
  } catch (error) {
    counts.failed += 1;
    console.log(`failed: ${name}: ${inspect(error)}`);
  } finally {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

console.log(
  ["| What happens | What it does |", "|---|---|", ...rows.map((cells) => `| ${cells.join(" | ")} |`)].join("\n"),
);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function untilReady(url: string): Promise<void> {
  while ((await fetch(`${url}/ping`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
}
