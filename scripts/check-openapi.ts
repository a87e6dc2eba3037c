/**
 * Fuzzes the HTTP API of `higgs serve` with the demo model from its own description: no answer may be a 5xx, and every answer must be one that
 * `/openapi.json` describes. Needs Python 3.10 or newer with venv, and a package index the first time; without them it is skipped.
 *
 *   npm run check:openapi [-- SECONDS]
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDemoServer } from "./serving/demo-server.ts";

const VERSION = "4.32.5";
const seconds = Number(process.argv[2] ?? 120);
const folder = join(import.meta.dirname, "..", ".cache", `schemathesis-${VERSION}`);
const program = join(folder, "bin", "schemathesis");
const hooks = join(import.meta.dirname, "openapi", "schemathesis_hooks.py");

const problem = install();
if (problem !== null) {
  console.log(`SKIPPED: schemathesis ${VERSION} cannot be installed: ${problem}`);
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}
process.exit(await fuzz());

function install(): string | null {
  if (existsSync(program)) return null;
  mkdirSync(folder, { recursive: true });
  for (const [command, ...args] of [
    ["python3", "-m", "venv", folder],
    [join(folder, "bin", "pip"), "install", "--quiet", `schemathesis==${VERSION}`],
  ] as const) {
    const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (status === 0) continue;
    rmSync(folder, { recursive: true, force: true });
    return (error?.message ?? stderr).trim().split("\n").at(-1) ?? "no reason given";
  }
  return null;
}

async function fuzz(): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), "higgs-openapi-"));
  const server = await startDemoServer({
    HIGGS_VOICES_DIR: scratch,
    HIGGS_OUTPUT_DIR: join(scratch, "out"),
    // Short texts and little audio: what is tested is the API, not the model.
    HIGGS_CONTEXT: "512",
    HIGGS_MAX_BATCH: "4",
    HIGGS_OPENAI_MAX_INPUT_CHARS: "40",
    HIGGS_MAX_TRANSCRIPT_CHARS: "40",
  });
  try {
    // Operations that speak take most of the time, and would leave none to the others.
    const speaking = ["createSpeech", "run", "runSync"];
    // Held for as long as the client says.
    const held = ["stream", "statusSync"];
    const others = run(
      server.url,
      scratch,
      [...speaking, ...held].map((id) => `--exclude-operation-id=${id}`),
    );
    const spoken = run(
      server.url,
      scratch,
      speaking.map((id) => `--include-operation-id=${id}`),
    );
    const status = others === 0 ? spoken : others;
    const isAlive = (await fetch(`${server.url}/ping`)).status === 200;
    if (!isAlive) console.log("FAILED: the server no longer answers");
    const isGood = status === 0 && isAlive;
    console.log(isGood ? "1 passed, 0 failed" : "0 passed, 1 failed");
    return isGood ? 0 : 1;
  } finally {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** One run over some of the operations; returns its exit code. */
function run(url: string, cwd: string, operations: readonly string[]): number | null {
  const options = [
    "--wait-for-schema=60",
    `--max-time=${seconds / 2}`,
    "--phases=examples,coverage,fuzzing",
    "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
    "--continue-on-failure",
    "--generation-deterministic",
    "--suppress-health-check=all",
    "--request-timeout=120",
    "--warnings=off",
    // With more, Python 3.11 fails in its own parser now and then.
    "--workers=1",
  ];
  const env = { ...process.env, NO_COLOR: "1", SCHEMATHESIS_HOOKS: hooks };
  return spawnSync(program, ["run", `${url}/openapi.json`, ...options, ...operations], { stdio: "inherit", cwd, env })
    .status;
}
