/**
 * Has a real Prometheus read `higgs serve` with the demo checkpoint, load the alert rules and answer every expression of the
 * dashboard: `npm run check:prometheus`. It takes Debian's package (apt-get download, nothing is installed) unless `prometheus` is
 * on the path, and skips where there is neither. The last line is `N passed, N failed`.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const root = join(import.meta.dirname, "..");
const ops = join(root, "ops");
const scratch = mkdtempSync(join(tmpdir(), "check-prometheus-"));
const KEY = "key-of-this-check";
const PORTS = { higgs: 39_518, prometheus: 39_519 };
const WAIT_MS = 180_000;

const children: ChildProcess[] = [];
let passed = 0;
let failed = 0;
function check(what: string, problem: string | null): void {
  if (problem === null) passed++;
  else failed++;
  console.log(problem === null ? `ok      ${what}` : `FAILED  ${what}: ${problem}`);
}

/** A folder with `prometheus` and `promtool`; empty for the path; null when there is none. */
function findPrometheus(): string | null {
  try {
    execFileSync("promtool", ["--version"], { stdio: "ignore" });
    return "";
  } catch {
    // Not on the path.
  }
  const cache = join(root, ".cache", "prometheus");
  const bin = join(cache, "files", "usr", "bin");
  if (existsSync(join(bin, "prometheus"))) return bin;
  mkdirSync(cache, { recursive: true });
  try {
    execFileSync("apt-get", ["download", "prometheus"], { cwd: cache, stdio: "ignore" });
    const [name = ""] = readdirSync(cache).filter((file) => file.endsWith(".deb"));
    execFileSync("dpkg", ["-x", join(cache, name), join(cache, "files")], { stdio: "ignore" });
    return bin;
  } catch {
    return null;
  }
}

function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  children.push(spawn(command, args, { env, stdio: "ignore", cwd: scratch }));
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`${what} did not happen within ${WAIT_MS / 1000} s`);
    await sleep(250);
  }
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result?: readonly unknown[];
    readonly groups?: readonly { readonly rules: readonly Rule[] }[];
  };
}

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

async function ask(path: string): Promise<Answer> {
  return (await (await fetch(`http://127.0.0.1:${PORTS.prometheus}/api/v1/${path}`)).json()) as Answer;
}

function query(expression: string): Promise<Answer> {
  return ask(`query?query=${encodeURIComponent(expression)}`);
}

async function speak(fields: object): Promise<void> {
  const headers = { "content-type": "application/json", authorization: KEY };
  const body = JSON.stringify({ input: { transcript: "The sun is warm.", seed: 1, temperature: 0.3, ...fields } });
  await (await fetch(`http://127.0.0.1:${PORTS.higgs}/runsync`, { method: "POST", headers, body })).text();
}

async function run(bin: string): Promise<void> {
  const tool = (name: string) => (bin === "" ? name : join(bin, name));
  start(
    process.execPath,
    [join(root, "apps/worker/bin/higgs.js"), "serve", "--host", "127.0.0.1", "--port", String(PORTS.higgs)],
    {
      PATH: process.env["PATH"],
      HOME: scratch,
      HIGGS_API_KEY: KEY,
      HIGGS_VOLUME_DIR: "/nowhere",
      HIGGS_DEVICE: "cpu",
      HIGGS_THREADS: "1",
    },
  );
  await until(
    "the start of higgs serve",
    async () => (await fetch(`http://127.0.0.1:${PORTS.higgs}/ping`)).status === 200,
  );
  for (const fields of [{}, { stream: true }, { tempreature: 1 }]) await speak(fields);

  cpSync(join(ops, "prometheus"), scratch, { recursive: true });
  writeFileSync(join(scratch, "key"), KEY);
  const config = readFileSync(join(scratch, "prometheus.yaml"), "utf8")
    .replace("localhost:8000", `127.0.0.1:${PORTS.higgs}`)
    .replace("/etc/prometheus/higgs-api-key", join(scratch, "key"))
    .replace("scrape_interval: 15s", "scrape_interval: 1s\n  evaluation_interval: 1s");
  writeFileSync(join(scratch, "prometheus.yaml"), config);
  const valid = trial(() =>
    execFileSync(tool("promtool"), ["check", "config", join(scratch, "prometheus.yaml")], { stdio: "pipe" }),
  );
  check("the example configuration and the rules are valid", valid);
  const address = `127.0.0.1:${PORTS.prometheus}`;
  const flags = [`--config.file=${join(scratch, "prometheus.yaml")}`, `--storage.tsdb.path=${join(scratch, "data")}`];
  start(tool("prometheus"), [...flags, `--web.listen-address=${address}`, "--log.level=error"]);
  await until("a scrape with the key", async () => ((await query("higgs_ready == 1")).data.result ?? []).length === 1);
  check("Prometheus reads the worker with the key", null);

  await until("an evaluation of all rules", async () =>
    rulesOf(await ask("rules")).every(({ health }) => health !== "unknown"),
  );
  for (const { name, health, lastError } of rulesOf(await ask("rules"))) {
    check(`alert ${name}`, health === "ok" ? null : `${health} ${lastError ?? ""}`);
  }
  const dashboard = JSON.parse(readFileSync(join(ops, "grafana/dashboards/higgs-audio.json"), "utf8")) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr } of targets) {
      const { status, error } = await query(expr.replaceAll("$__rate_interval", "1m").replaceAll("$instance", ".*"));
      check(`panel ${title}`, status === "success" ? null : (error ?? status));
    }
  }
  const heard = await query("sum(higgs_requests_success_total) == 2 and sum(higgs_requests_failed_total) == 1");
  check("two requests succeeded and one failed", (heard.data.result ?? []).length === 1 ? null : JSON.stringify(heard));
}

function rulesOf({ data }: Answer): readonly Rule[] {
  return (data.groups ?? []).flatMap(({ rules }) => rules);
}

function trial(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const bin = findPrometheus();
try {
  if (bin === null) console.log("skipped: there is no prometheus, and apt-get cannot download it");
  else await run(bin);
} catch (error) {
  check("the check itself", String(error));
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
}
console.log(bin === null ? "0 passed, 0 failed, 1 skipped" : `${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
