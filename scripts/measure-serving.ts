/**
 * What `higgs serve` makes of several requests at once: `npm run measure:serving -- [--clients N]... [--batch N] [--rounds N]`. One client at a time and
 * N of them take turns with the same requests, on the demo model. Prints audio seconds a second and a processor second, and how they
 * compare with one client; medians of the pairs. Needs Linux, and for the wall clock an otherwise idle machine.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { median, speechBody } from "./load/client.ts";
import { processTree } from "./load/memory.ts";
import { startDemoServer } from "./serving/demo-server.ts";

const TICKS_PER_SECOND = 100;
const SAMPLE_BYTES_PER_SECOND = 48_000;
const WAV_HEADER_BYTES = 44;

const { values: options } = parseArgs({
  options: {
    clients: { type: "string", multiple: true, default: ["4", "8"] },
    batch: { type: "string", default: "auto" },
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "16" },
  },
});

interface Rates {
  readonly perSecond: number;
  readonly perProcessorSecond: number;
}

/** Speaks all requests with so many clients, each of which asks for the next when it has the last. */
async function speakAll(url: string, pid: number, clients: number): Promise<Rates> {
  const waiting = Array.from({ length: Number(options.requests) }, (_, index) => index);
  let audioSeconds = 0;
  const [startMs, startCpu] = [performance.now(), processorSeconds(pid)];
  const client = async (): Promise<void> => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const { input, seed } = JSON.parse(speechBody(index)) as { input: string; seed: number };
      const body = JSON.stringify({ input: { transcript: input, seed, temperature: 0.3 } });
      const answer = await fetch(`${url}/runsync`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      const { output } = (await answer.json()) as { output?: { audio_base64?: string } };
      const bytes = Buffer.from(output?.audio_base64 ?? "", "base64").length - WAV_HEADER_BYTES;
      if (bytes <= 0) throw new Error(`request ${index} was not spoken: HTTP ${answer.status}`);
      audioSeconds += bytes / SAMPLE_BYTES_PER_SECOND;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const [wallSeconds, cpuSeconds] = [(performance.now() - startMs) / 1000, processorSeconds(pid) - startCpu];
  return { perSecond: audioSeconds / wallSeconds, perProcessorSecond: audioSeconds / cpuSeconds };
}

/** Of a process and its children so far. */
function processorSeconds(pid: number): number {
  const ticks = processTree(pid).map((each) => {
    // The name may have spaces; user and system time are the 12th and 13th fields behind it.
    const fields = readFileSync(`/proc/${each}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
}

const server = await startDemoServer({ HIGGS_MAX_BATCH: options.batch });
try {
  while ((await fetch(`${server.url}/ping`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
  const { pid = 0 } = server.process;
  const many = Math.max(...options.clients.map(Number));
  for (const clients of [1, many]) await speakAll(server.url, pid, clients);
  console.log(
    "| Clients | Audio s a second | × one client | Audio s a processor second | × one client |\n|---|---|---|---|---|",
  );
  for (const clients of options.clients.map(Number)) {
    const pairs: [Rates, Rates][] = [];
    for (let round = 0; round < Number(options.rounds); round++) {
      const alone = await speakAll(server.url, pid, 1);
      pairs.push([alone, await speakAll(server.url, pid, clients)]);
    }
    const cells = (["perSecond", "perProcessorSecond"] as const).flatMap((rate) => [
      median(pairs.map(([, together]) => together[rate])).toFixed(2),
      median(pairs.map(([alone, together]) => together[rate] / alone[rate])).toFixed(2),
    ]);
    console.log(`| ${[clients, ...cells].join(" | ")} |`);
  }
} finally {
  await server.stop();
}
